"""upload, detections, report: images, and what the model read on them."""

import getpass
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from loupe.domain.detection import DetectionState
from loupe.domain.keys import ImageRef, label_of
from loupe.domain.labelled_images import LabelledImageStatus, remark
from loupe.domain.reports import Report
from loupe.errors import InvalidRequest
from loupe.services.reports import report_answer
from loupe.services.status import next_check
from loupe_cli.options import Json, Yes
from loupe_cli.render import labels, local_time, out, show_json, show_table
from loupe_cli.target import Target
from loupe_cli.uploads import Upload, image_files, labelled_files, send, show_left_out, wait_for

Wait = Annotated[bool, typer.Option("--wait", help="Wait until every image has its record.")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait at most.")]
Group = Annotated[
    str,
    typer.Option(help="The images belong together, such as frames of one video: a name for them."),
]
Folder = Annotated[Path, typer.Argument(help="A folder of images.")]
MANY = 1000
"""More images than this are uploaded after a question only."""

upload = typer.Typer(help="Upload images.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(upload, name="upload")
    app.command()(detections)
    app.command()(report)


@upload.command("labelled")
def upload_labelled(
    context: typer.Context,
    folder: Folder,
    wait: Wait = False,
    timeout: Timeout = 600,
    group: Group = "",
) -> None:
    """Upload images to train on: one folder a label."""
    target: Target = context.obj
    choice = labelled_files(folder)
    show_left_out(choice)
    sent = send(choice.uploads, target, group)
    per_label = Counter(label_of(upload.key) for upload in sent)
    if not wait:
        show_table(["label", "uploaded"], sorted(per_label.items()), "")
        out.print("'loupe status' says how many count, and when they are trained on.")
        return
    _wait(sent, target, timeout, "Registering", _is_registered)
    unused = dict(_unused(sent, target))
    spare = Counter(label_of(key) for key in unused)
    show_table(
        ["label", "uploaded", "of use"],
        ((label, count, count - spare[label]) for label, count in sorted(per_label.items())),
        "",
    )
    for why in unused.values():
        out.print(why, markup=False)
    plan = next_check(target.deps)
    does = "trains ('loupe train' checks now)" if plan.action == "train" else "does not train"
    out.print(f"The next check {does}: {plan.reason}.", markup=False)


@upload.command("images")
def upload_images(
    context: typer.Context,
    folder: Folder,
    wait: Wait = False,
    timeout: Timeout = 600,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be uploaded, and upload nothing.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Upload images to be read: PNG and JPEG, recognised by their content."""
    target: Target = context.obj
    choice = image_files(folder)
    show_left_out(choice)
    number = len(choice.uploads)
    if dry_run:
        out.print(f"{number} images would be uploaded.")
        return
    if number > MANY and not yes:
        typer.confirm(f"Upload {number} images? Each is read, which is billed.", abort=True)
    sent = send(choice.uploads, target)
    if not wait:
        out.print(f"{len(sent)} images uploaded. 'loupe detections' shows what the model read.")
        return
    _wait(sent, target, timeout, "Reading", _is_read)
    records = [target.deps.detections.get(_image(upload, target).id) for upload in sent]
    states = Counter(record.state for record in records if record)
    show_table(["state", "images"], sorted(states.items()), "")


def detections(
    context: typer.Context,
    state: Annotated[str, typer.Option(help=f"Only one state: {', '.join(DetectionState)}.")] = "",
    limit: Annotated[int | None, typer.Option(help="At most so many.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Uploaded images and what was detected, newest first."""
    if state and state not in list(DetectionState):
        raise InvalidRequest(f"{state!r} is no state; the states are: {', '.join(DetectionState)}.")
    target: Target = context.obj
    newest = [d.as_json() for d in islice(target.deps.detections.newest(state), limit)]
    if as_json:
        show_json(newest)
        return
    show_table(
        ["image", "state", "labels", "version", "at", "why"],
        (
            (
                d["image"],
                d["state"],
                labels(d["labels"]),
                d["version"],
                local_time(d["at"]),
                d["reason"],
            )
            for d in newest
        ),
        "No image has been uploaded yet: 'loupe upload images DIR'.",
    )


def report(
    context: typer.Context,
    image: Annotated[str, typer.Argument(help="Its name or id, as 'loupe detections' lists it.")],
    label: Annotated[str, typer.Argument(help="What it is, if you know.")] = "",
    by: Annotated[str, typer.Option(help="Who reports it.")] = "",
) -> None:
    """Report a wrong answer: people look at the image, ahead of others."""
    target: Target = context.obj
    review = report_answer(Report(image, by or getpass.getuser(), label), target.deps)
    out.print(f"{review.image.name} is with the reviewers: {review.id}", markup=False)


def _wait(
    sent: list[Upload],
    target: Target,
    timeout: float,
    words: str,
    is_done: Callable[[Target, ImageRef], bool],
) -> None:
    missing = [_image(upload, target) for upload in sent]

    def done() -> int:
        missing[:] = [image for image in missing if not is_done(target, image)]
        return len(sent) - len(missing)

    wait_for(words, len(sent), done, timeout)


def _is_read(target: Target, image: ImageRef) -> bool:
    """An image that waits for a stated reason is as far as it gets for now."""
    detection = target.deps.detections.get(image.id)
    if detection is None:
        return False
    return detection.state != DetectionState.WAITING or bool(detection.reason)


def _is_registered(target: Target, image: ImageRef) -> bool:
    labelled = target.deps.dataset.labelled_image(image.key)
    return labelled is not None and labelled.version == image.version


def _unused(sent: Sequence[Upload], target: Target) -> Iterator[tuple[str, str]]:
    """(key, why) of each labelled image that gives a training nothing new."""
    for upload in sorted(sent, key=lambda upload: upload.key):
        labelled = target.deps.dataset.labelled_image(upload.key)
        if labelled is None:
            continue
        why = labelled.reason
        if labelled.status == LabelledImageStatus.REGISTERED:
            why = remark(target.deps.dataset.group(labelled.group), labelled.key)
        if why:
            yield upload.key, f"{labelled.name}: {why}"


def _image(upload: Upload, target: Target) -> ImageRef:
    return ImageRef(target.outputs["BucketName"], upload.key, upload.version, "", 0)
