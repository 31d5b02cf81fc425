"""upload, detections, reviews: images and what became of them."""

import getpass
import json
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from loupe.domain.detection import DetectionState
from loupe.domain.keys import ImageRef, label_of
from loupe.domain.labelled_images import LabelledImageStatus, remark
from loupe.domain.review import ReviewState
from loupe.errors import InvalidRequest
from loupe.services.review_answers import decide_conflict
from loupe.services.status import next_check
from loupe_cli.render import labels, local_time, out, show_json, show_table
from loupe_cli.target import Target
from loupe_cli.uploads import Upload, image_files, labelled_files, send, show_left_out, wait_for

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until every image has its record.")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait at most.")]
MANY = 1000
"""More images than this are uploaded after a question only."""
Folder = Annotated[Path, typer.Argument(help="A folder of images.")]

upload = typer.Typer(help="Upload images.", no_args_is_help=True)
reviews = typer.Typer(help="What needs a person.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(upload, name="upload")
    app.command()(detections)
    app.add_typer(reviews, name="reviews")
    app.command()(sample)


@upload.command("labelled")
def upload_labelled(
    context: typer.Context, folder: Folder, wait: Wait = False, timeout: Timeout = 600
) -> None:
    """Upload images to train on: one folder a label."""
    target: Target = context.obj
    choice = labelled_files(folder)
    show_left_out(choice)
    sent = send(choice.uploads, target)
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
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Upload images to be read: PNG and JPEG, told by their content."""
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
        out.print(f"{len(sent)} images uploaded. 'loupe detections' shows what is found.")
        return
    _wait(sent, target, timeout, "Reading", _is_read)
    ids = [_image(found, target).id for found in sent]
    found = [target.deps.detections.get(identity) for identity in ids]
    states = Counter(record.state for record in found if record)
    show_table(["state", "images"], sorted(states.items()), "")


def detections(
    context: typer.Context,
    state: Annotated[str, typer.Option(help=f"Only one state: {', '.join(DetectionState)}.")] = "",
    limit: Annotated[int | None, typer.Option(help="At most so many.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Uploaded images and what was found, newest first."""
    if state and state not in list(DetectionState):
        raise InvalidRequest(f"{state!r} is no state; the states are: {', '.join(DetectionState)}.")
    target: Target = context.obj
    found = [d.as_json() for d in islice(target.deps.detections.newest(state), limit)]
    if as_json:
        show_json(found)
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
            for d in found
        ),
        "No image has been uploaded yet: 'loupe upload images DIR'.",
    )


@reviews.callback()
def list_reviews(
    context: typer.Context,
    state: Annotated[str, typer.Option(help="Only one state, such as conflict.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Answered ones too.")] = False,
    as_json: Json = False,
) -> None:
    """Reviews that wait for a person, newest first."""
    if context.invoked_subcommand:
        return
    known = (
        ReviewState.OPEN,
        ReviewState.QUEUED,
        ReviewState.DONE,
        ReviewState.CONFLICT,
        ReviewState.WITHDRAWN,
    )
    if state and state not in known:
        raise InvalidRequest(f"{state!r} is no state; the states are: {', '.join(known)}.")
    target: Target = context.obj
    source = target.deps.reviews
    listed = source.newest(state) if state or everything else source.unanswered()
    found = [review.as_json() for review in listed]
    if as_json:
        show_json(found)
        return
    show_table(
        ["id", "image", "state", "labels", "why"],
        ((r["id"], r["image"], r["state"], ", ".join(r["labels"]), r["reason"]) for r in found),
        "Nothing needs a person.",
    )


@reviews.command("answer")
def answer_review(
    context: typer.Context,
    review: Annotated[str, typer.Argument(metavar="ID", help="As 'loupe reviews' lists it.")],
    label: Annotated[str, typer.Argument(help="A label, or 'none of the above'.")],
    reviewer: Annotated[str, typer.Option(help="Who answers.")] = "",
) -> None:
    """Answer a review."""
    target: Target = context.obj
    worker = reviewer or getpass.getuser()
    if target.outputs.get("HumanReview") == "a2i":
        _answer_loop(target, target.deps.reviews.get(review).loop, worker, label)
        out.print(f"{review}: {label}")
        return
    payload = {"review": review, "worker": worker, "label": label}
    answered = target.invoke("AnswerReviewFunction", payload)
    if "error" in answered:
        raise InvalidRequest(answered["error"])
    waiting = " (more reviewers are asked)" if answered["state"] == ReviewState.OPEN else ""
    out.print(f"{review}: {label}{waiting}")


@reviews.command("decide")
def decide(
    context: typer.Context,
    review: Annotated[str, typer.Argument(metavar="ID", help="A review in conflict.")],
    label: Annotated[str, typer.Argument(help="A label, or 'none of the above'.")],
    by: Annotated[str, typer.Option(help="Who decides.")] = "",
) -> None:
    """End a conflict between reviewers."""
    decide_conflict(review, label, by or getpass.getuser(), context.obj.deps)
    out.print(f"{review}: {label}")


def sample(context: typer.Context) -> None:
    """Draw quality samples now instead of at the next sampling."""
    drawn = context.obj.invoke("SampleReviewsFunction", {})["sampled"]
    out.print(f"{drawn} detections went to review to measure quality.")


def _answer_loop(target: Target, loop: str, worker: str, label: str) -> None:
    """On the embedded stack, Amazon A2I's worker page is an address of the stack's own."""
    if not target.endpoint:
        raise InvalidRequest("Amazon A2I's reviews are answered on its own page, by its work team.")
    if not loop:
        raise InvalidRequest("Amazon A2I does not ask for this review just now.")
    request = urllib.request.Request(
        f"{target.endpoint}/_loupe/a2i/loops/{loop}/answers",
        data=json.dumps({"worker": worker, "answer": {"label": {"label": label}}}).encode(),
        headers={"Content-Type": "application/json"},
    )
    # The address is that of the embedded stack.
    with urllib.request.urlopen(request, timeout=30) as response:  # nosec B310
        response.read()


def _wait(sent: list[Upload], target: Target, timeout: float, words: str, is_done: Any) -> None:
    missing = [_image(upload, target) for upload in sent]

    def done() -> int:
        missing[:] = [image for image in missing if not is_done(target, image)]
        return len(sent) - len(missing)

    wait_for(words, len(sent), done, timeout)


def _is_read(target: Target, image: ImageRef) -> bool:
    """An image that waits for a stated reason is as far as it gets for now."""
    found = target.deps.detections.get(image.id)
    return found is not None and (found.state != DetectionState.WAITING or bool(found.reason))


def _is_registered(target: Target, image: ImageRef) -> bool:
    found = target.deps.dataset.labelled_image(image.key)
    return found is not None and found.version == image.version


def _unused(sent: Sequence[Upload], target: Target) -> Iterator[tuple[str, str]]:
    """(key, why) of each labelled image that gives a training nothing new."""
    for upload in sorted(sent, key=lambda upload: upload.key):
        example = target.deps.dataset.labelled_image(upload.key)
        if example is None:
            continue
        why = example.reason
        if example.status == LabelledImageStatus.REGISTERED:
            why = remark(target.deps.dataset.group(example.group), example.key)
        if why:
            yield upload.key, f"{example.name}: {why}"


def _image(upload: Upload, target: Target) -> ImageRef:
    return ImageRef(target.outputs["BucketName"], upload.key, upload.version, "", 0)
