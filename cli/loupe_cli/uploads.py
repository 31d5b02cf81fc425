"""Uploads of folders of images."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from rich.progress import Progress

from loupe.domain.keys import DETECTION_PREFIX, LABELLED_PREFIX, check_label
from loupe.domain.series import GROUP
from loupe.errors import InvalidRequest
from loupe_cli.render import err
from loupe_cli.target import Target

THREADS = 8
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
NO_IMAGE = "no PNG or JPEG by their content"
NAMED = 3
"""Files that are left out are named up to so many."""


@dataclass(frozen=True)
class Upload:
    """A file, the key that it gets, and the version that S3 gave it."""

    path: Path
    key: str
    version: str = ""


@dataclass(frozen=True)
class Choice:
    """What a folder has to upload, and what is left out and why."""

    uploads: Sequence[Upload]
    left_out: Mapping[str, Sequence[Path]]


def labelled_files(folder: Path) -> Choice:
    """Images of a folder with one folder a label; raises InvalidRequest when there are none."""
    files = _files(folder)
    loose = [file for file in files if file.parent == folder]
    images, others = _images(file for file in files if file.parent != folder)
    loose_images, loose_others = _images(loose)
    uploads = [Upload(image, LABELLED_PREFIX + _labelled(image, folder)) for image in images]
    left_out = {NO_IMAGE: loose_others + others, "in no label's folder": loose_images}
    return _some(Choice(uploads, left_out), folder, "one folder a label, such as cat/1.png")


def image_files(folder: Path) -> Choice:
    """All images below a folder; raises InvalidRequest when there are none."""
    images, others = _images(_files(folder))
    uploads = [Upload(image, f"{DETECTION_PREFIX}{image.relative_to(folder)}") for image in images]
    return _some(Choice(uploads, {NO_IMAGE: others}), folder, "images")


def show_left_out(choice: Choice) -> None:
    """Say which files of the folder are not uploaded, and why."""
    for why, files in choice.left_out.items():
        if files:
            names = ", ".join(file.name for file in files[:NAMED])
            more = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
            err.print(f"Left out, {why}: {len(files)} ({names}{more}).", markup=False)


def send(uploads: Sequence[Upload], target: Target, group: str = "") -> list[Upload]:
    """Upload files, as one series if `group` names it, several at a time, with a progress bar."""
    s3, bucket = target.client("s3"), target.outputs["BucketName"]
    metadata = {GROUP: quote(group)} if group else {}

    def one(upload: Upload) -> Upload:
        put = s3.put_object(
            Bucket=bucket, Key=upload.key, Body=upload.path.read_bytes(), Metadata=metadata
        )
        return Upload(upload.path, upload.key, put.get("VersionId", ""))

    with progress() as bar, ThreadPoolExecutor(THREADS) as pool:
        task = bar.add_task("Uploading", total=len(uploads))
        sent = []
        for done in as_completed([pool.submit(one, upload) for upload in uploads]):
            sent.append(done.result())
            bar.advance(task)
    return sent


def wait_for(words: str, total: int, count_done: Callable[[], int], timeout: float) -> None:
    """Show a progress bar until `count_done()` reaches `total`; raises TimeoutError after that."""
    deadline = time.monotonic() + timeout
    with progress() as bar:
        task = bar.add_task(words, total=total)
        while (done := count_done()) < total:
            bar.update(task, completed=done)
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{total - done} of {total} are not done after {timeout:g} seconds; "
                    "'loupe status' says what Loupe is doing. Nothing is lost."
                )
            time.sleep(0.5)
        bar.update(task, completed=total)


def progress() -> Progress:
    """A bar on standard error, so that standard output stays for results."""
    return Progress(console=err, transient=True, disable=not err.is_terminal)


def _files(folder: Path) -> list[Path]:
    """Files below a folder, without hidden ones."""
    if not folder.is_dir():
        raise InvalidRequest(f"{folder} is no folder: name one with the images in it.")
    return sorted(
        file
        for file in folder.rglob("*")
        if file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )


def _images(files: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Files that are images by their first bytes, whatever they are called, and the others."""
    images: list[Path] = []
    others: list[Path] = []
    for file in files:
        with file.open("rb") as stream:
            is_image = stream.read(len(PNG)).startswith((PNG, JPEG))
        (images if is_image else others).append(file)
    return images, others


def _labelled(image: Path, folder: Path) -> str:
    name = image.relative_to(folder)
    check_label(name.parts[0])
    return str(name)


def _some(choice: Choice, folder: Path, expected: str) -> Choice:
    if not choice.uploads:
        show_left_out(choice)
        raise InvalidRequest(f"{folder} has nothing to upload: put PNG or JPEG {expected} into it.")
    return choice
