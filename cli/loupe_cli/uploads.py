"""Uploads of folders of images."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

from loupe.domain.places import DETECTION_PREFIX, LABELLED_PREFIX, check_label
from loupe.errors import InvalidRequest
from loupe_cli.render import err
from loupe_cli.target import Target

THREADS = 8


@dataclass(frozen=True)
class Upload:
    """A file, the key that it gets, and the version that S3 gave it."""

    path: Path
    key: str
    version: str = ""


def labelled_files(folder: Path) -> list[Upload]:
    """Files of a folder with one folder a label; raises InvalidRequest for anything else."""
    _check_folder(folder)
    labels = sorted(found for found in folder.iterdir() if found.is_dir() and not _hidden(found))
    loose = sorted(
        found.name for found in folder.iterdir() if found.is_file() and not _hidden(found)
    )
    if loose:
        raise InvalidRequest(
            f"{folder} has files outside of a label's folder ({loose[0]}): put each image into "
            f"{folder}/<label>/."
        )
    uploads = [
        Upload(file, f"{LABELLED_PREFIX}{check_label(label.name)}/{file.relative_to(label)}")
        for label in labels
        for file in _files(label)
    ]
    return _some(uploads, folder)


def image_files(folder: Path) -> list[Upload]:
    """All files below a folder."""
    _check_folder(folder)
    uploads = [Upload(f, f"{DETECTION_PREFIX}{f.relative_to(folder)}") for f in _files(folder)]
    return _some(uploads, folder)


def send(uploads: Sequence[Upload], target: Target) -> list[Upload]:
    """Upload all files, several at a time, with a progress bar."""
    s3, bucket = target.client("s3"), target.outputs["BucketName"]

    def one(upload: Upload) -> Upload:
        put = s3.put_object(Bucket=bucket, Key=upload.key, Body=upload.path.read_bytes())
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
    return sorted(
        found
        for found in folder.rglob("*")
        if found.is_file()
        and not any(part.startswith(".") for part in found.relative_to(folder).parts)
    )


def _hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise InvalidRequest(f"{folder} is no folder: name one with the images in it.")


def _some(uploads: list[Upload], folder: Path) -> list[Upload]:
    if not uploads:
        raise InvalidRequest(f"{folder} holds no files to upload.")
    return uploads
