"""import, adopt: fill a new stack from an export, or from the bucket of the original workflow."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from loupe.adapters.detections import detection_of
from loupe.adapters.items import from_item
from loupe.adapters.reviews import review_of
from loupe.domain.keys import people
from loupe.domain.labelled_images import ImageSource
from loupe.domain.review import ReviewState
from loupe.domain.settings import CATALOGUE, setting
from loupe.domain.versions import Version, VersionStatus
from loupe.errors import InvalidRequest, InvalidSetting
from loupe_cli.archive import Archive
from loupe_cli.original import SourceImage, labelled_images, settings_at
from loupe_cli.render import out, show_table
from loupe_cli.target import Target
from loupe_cli.uploads import progress, wait_for

Folder = Annotated[Path, typer.Argument(help="A folder that 'loupe export' has written.")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait for the images to be registered.")]
THREADS = 8
UNFINISHED = (ReviewState.OPEN, ReviewState.QUEUED, ReviewState.CONFLICT)


@dataclass(frozen=True)
class Upload:
    """An object to write: its key, where its bytes come from, and its metadata."""

    key: str
    load: Callable[[], bytes]
    metadata: Mapping[str, str]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_)
    app.command()(adopt)


def import_(context: typer.Context, folder: Folder, timeout: Timeout = 3600) -> None:
    """Fill a new stack from an export: the same labels, on the same sides of the holdout."""
    target: Target = context.obj
    archive = Archive(folder)
    stack = archive.check()["stack"]
    _refuse_used(target)
    records = list(archive.lines("labelled_images"))
    detections = list(archive.lines("detections"))
    settings = {name: setting(name).check(v) for name, v in archive.read("settings").items()}
    restore_history(target, archive, detections, str(stack))
    uploads = [_labelled(record, archive) for record in records]
    _send(uploads, target)
    _wait(uploads, target, timeout)
    for name, value in settings.items():
        target.deps.parameters.set(name, value)
    waiting = [_waiting(record, archive) for record in detections if record["file"]]
    _send(waiting, target)
    _show(Counter((r["label"], r["split"]) for r in records))
    if waiting:
        out.print(f"{len(waiting)} images that waited for an answer are being read anew.")
    out.print("'loupe train' trains on them.")


def adopt(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(help="The original workflow's bucket, s3://NAME, or a copy of it.")
    ],
    settings: Annotated[
        str, typer.Option("--settings", help="Where its parameters are, such as /my-stack/.")
    ] = "",
    timeout: Timeout = 3600,
) -> None:
    """Take over the labelled images and settings of the original workflow."""
    target: Target = context.obj
    images = list(labelled_images(source, target))
    usable = [each for each in images if not each.problem]
    if not usable:
        raise InvalidRequest(
            f"There are no labelled images in {source}: they are looked for in "
            "images_labeled_by_folder/<label>/."
        )
    uploads = [_adopted(each) for each in usable]
    _send(uploads, target)
    _wait(uploads, target, timeout)
    kept = list(_adopt_settings(settings, target)) if settings else []
    show_table(
        ["label", "images"], sorted(Counter(each.label for each in usable).items()), "No images."
    )
    passed = [(each.key, each.problem) for each in images if each.problem] + kept
    if passed:
        show_table(["passed over", "why"], passed, "")


def restore_history(
    target: Target, archive: Archive, detections: Iterable[Mapping[str, Any]], stack: str
) -> None:
    """Write models, detections and reviews of the exported stack as records of the past."""
    deps = target.deps
    for record in archive.lines("models"):
        before = f"{VersionStatus(record['status'])} in {stack}"
        version = from_item(Version, record | HISTORY, "A line of models.jsonl")
        reason = f"{before}: {version.reason}" if version.reason else before
        number = int(version.name.removeprefix("v"))
        deps.versions.restore(replace(version, reason=reason), number)
    for past in detections:
        if not past["file"]:
            deps.detections.restore(detection_of(past, "A line of detections.jsonl"))
    for record in archive.lines("reviews"):
        if record["state"] not in UNFINISHED:
            deps.reviews.restore(review_of(record, "A line of reviews.jsonl"))


HISTORY = {"status": VersionStatus.IMPORTED, "arn": "", "approval_token": ""}


def _refuse_used(target: Target) -> None:
    if list(target.deps.rekognition.versions()):
        raise InvalidRequest(
            f"{target.name!r} has trained versions already, and an import would mix two "
            "histories: import into a new stack."
        )


def _labelled(record: Mapping[str, Any], archive: Archive) -> Upload:
    metadata = {"loupe-split": record["split"]}
    if record["by"]:
        metadata["loupe-by"] = people(record["by"])
    if record["source"] in (ImageSource.REVIEWED, ImageSource.COLD_START):
        metadata["loupe-source"] = record["source"].replace(" ", "-")
        metadata["loupe-reviewers"] = str(record["reviewers"])
    return Upload(record["key"], lambda: archive.load(record["file"]), metadata)


def _waiting(record: Mapping[str, Any], archive: Archive) -> Upload:
    return Upload(record["image"]["key"], lambda: archive.load(record["file"]), {})


def _adopted(image: SourceImage) -> Upload:
    reviewed = {"loupe-source": "reviewed", "loupe-reviewers": "1"}
    return Upload(image.key, image.load, reviewed if image.reviewed else {})


def _adopt_settings(path: str, target: Target) -> Iterator[tuple[str, str]]:
    """Set what the original had; yields what Loupe does not take, and why."""
    names = {each.name for each in CATALOGUE}
    values = {name: value for name, value in settings_at(path, target).items() if name in names}
    if not values:
        raise InvalidRequest(f"There are no settings below {path!r}: 'loupe settings' names them.")
    for name, value in values.items():
        try:
            target.deps.parameters.set(name, setting(name).check(value))
        except InvalidSetting as error:
            yield name, str(error)


def _send(uploads: list[Upload], target: Target) -> None:
    s3, bucket = target.client("s3"), target.outputs["BucketName"]

    def one(upload: Upload) -> None:
        s3.put_object(
            Bucket=bucket, Key=upload.key, Body=upload.load(), Metadata=dict(upload.metadata)
        )

    with progress() as bar, ThreadPoolExecutor(THREADS) as pool:
        task = bar.add_task("Uploading", total=len(uploads))
        for _ in pool.map(one, uploads):
            bar.advance(task)


def _wait(uploads: list[Upload], target: Target, timeout: float) -> None:
    missing = [upload.key for upload in uploads]

    def done() -> int:
        missing[:] = [key for key in missing if target.deps.dataset.labelled_image(key) is None]
        return len(uploads) - len(missing)

    wait_for("Registering", len(uploads), done, timeout)


def _show(counts: Counter[tuple[str, str]]) -> None:
    labels = sorted({label for label, _ in counts})
    rows = [(name, counts[name, "train"], counts[name, "test"]) for name in labels]
    show_table(["label", "train", "test"], rows, "The export has no labelled images.")
