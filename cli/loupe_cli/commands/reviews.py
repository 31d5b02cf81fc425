"""reviews, sample: what needs a person."""

import getpass
import json
import urllib.request
from typing import Annotated

import typer

from loupe.domain.review import ReviewState
from loupe.errors import InvalidRequest
from loupe.services.review_answers import decide_conflict
from loupe_cli.options import Json
from loupe_cli.render import out, show_json, show_table
from loupe_cli.target import Target

STATES = (
    ReviewState.OPEN,
    ReviewState.QUEUED,
    ReviewState.DONE,
    ReviewState.CONFLICT,
    ReviewState.WITHDRAWN,
    ReviewState.SETTLED,
)

reviews = typer.Typer(help="What needs a person.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(reviews, name="reviews")
    app.command()(sample)


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
    if state and state not in STATES:
        raise InvalidRequest(f"{state!r} is no state; the states are: {', '.join(STATES)}.")
    target: Target = context.obj
    source = target.deps.reviews
    listed = source.newest(state) if state or everything else source.unanswered()
    records = [review.as_json() for review in listed]
    if as_json:
        show_json(records)
        return
    show_table(
        ["id", "image", "state", "labels", "why"],
        ((r["id"], r["image"], r["state"], ", ".join(r["labels"]), r["reason"]) for r in records),
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
