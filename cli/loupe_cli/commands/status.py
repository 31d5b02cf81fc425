"""status: what is in service, what waits, and what happens next."""

from dataclasses import asdict
from typing import Any

import typer

from loupe.domain.review import ReviewState
from loupe.domain.running_hours import Cost
from loupe.domain.training import needed_changes
from loupe.services.serving import why_not_started
from loupe.services.status import activity, cost_of_models, next_check
from loupe_cli.options import Json
from loupe_cli.render import local_time, show_json, show_table
from loupe_cli.target import Target


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


def status(context: typer.Context, as_json: Json = False) -> None:
    """What is in service, what waits, and what happens next."""
    facts = summary(context.obj)
    if as_json:
        show_json(facts | {"cost": asdict(facts["cost"].rounded)})
        return
    show_table(
        ["", ""], [(name.replace("_", " "), _words(value)) for name, value in facts.items()], ""
    )


def summary(target: Target) -> dict[str, Any]:
    """The state of the stack in a few facts."""
    deps = target.deps
    service, progress = deps.versions.service(), deps.versions.progress()
    settings, reviews = deps.parameters.settings(), deps.reviews.counts()
    model = deps.versions.get(service.version) if service.version else None
    return {
        "stack": target.name,
        "in_service": service.version or None,
        "f1": model.f1 if model else None,
        "since": service.since or None,
        "model": deps.rekognition.version(service.version).status if service.version else None,
        "cannot_start": why_not_started(deps) or None,
        "cost": cost_of_models(deps),
        "images": dict(deps.detections.counts()),
        "in_queue": _in_queue(target),
        "open_reviews": reviews[ReviewState.OPEN] + reviews[ReviewState.QUEUED],
        "settled_reviews": model.settled if model else 0,
        "new_labelled_images": progress.changes,
        "needed_to_train": needed_changes(settings.minimum_untrained_images, progress.not_promoted),
        "improving": activity(deps).text,
        "next_check": next_check(deps).reason,
        "labels": sorted(deps.dataset.label_counts().by_label),
    } | ({} if deps.records.are_counted() else {"counts": "not all records are counted yet"})


def _in_queue(target: Target) -> int:
    """Images on their way to the model, as far as the queue knows."""
    counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    queue = target.client("sqs").get_queue_attributes(
        QueueUrl=target.outputs["DetectionQueueUrl"], AttributeNames=list(counts)
    )
    return sum(int(queue["Attributes"][count]) for count in counts)


def _words(value: Any) -> Any:
    if isinstance(value, Cost):
        return value.text
    if isinstance(value, dict):
        return ", ".join(f"{count} {name}" for name, count in sorted(value.items()))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, str) and value.endswith("Z") and "T" in value:
        return local_time(value)
    return value
