"""up, down, status: the stack as a whole."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from loupe.domain.review import ReviewState
from loupe.domain.running_hours import Cost
from loupe.domain.training import needed_changes
from loupe.errors import InvalidRequest
from loupe.services.serving import why_not_started
from loupe.services.status import activity, cost_of_models, next_check
from loupe_cli.deployment import deploy, fingerprint, parameter_overrides
from loupe_cli.recovery import recover
from loupe_cli.render import err, local_time, out, show_json, show_table
from loupe_cli.target import EMBEDDED, Target, home
from loupe_cli.user_commands import ready_made
from loupe_local import stack as embedded
from loupe_local.environment import adopt

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(up)
    app.command()(down)
    app.command()(status)


def up(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(help="The port; at first 4566.")] = None,
    redeploy: Annotated[bool, typer.Option(help="Deploy even if nothing changed.")] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the template; is kept."),
    ] = None,
) -> None:
    """Start Loupe on this machine, with everything that was there before."""
    target = _of_this_machine(context)
    given = parameter_overrides(settings or [])
    place = home()
    with err.status("Starting the embedded stack…"):
        endpoint = embedded.start(place, port)
    adopt(endpoint.environment)
    deployed = place / "deployed"
    now = fingerprint()
    redeploy = redeploy or bool(given)
    if redeploy or not deployed.exists() or deployed.read_text() != now or not target.is_deployed:
        deployed.unlink(missing_ok=True)
        with err.status("Building and deploying the template (about a minute)…"):
            deploy(endpoint, place, given)
        deployed.write_text(now)
    with err.status("Looking for uploads without a record…"):
        target.invoke("ApplySettingsFunction", {})
        found = recover(target)
    if any(vars(found).values()):
        out.print(
            f"Queued again after a crash: {found.images} images, {found.labelled} labelled images, "
            f"{found.answers} answers."
        )
    cognito = target.client("cognito-idp")
    passwords = ready_made(cognito, target.outputs["UserPoolId"], place)
    out.print(f"The console is at [bold]{endpoint.console_url}[/]; sign in as")
    for role, password in passwords.items():
        out.print(f"  {role:<9} {password}", markup=False)
    if target.outputs["HumanReview"] == "a2i":
        out.print(f"Amazon A2I's labeling portal is at [bold]{endpoint.url}/_loupe/a2i[/].")
    out.print(
        f"\nLoupe's services are at {endpoint.url} (data in {place}).\n\n"
        "  loupe upload labelled DIR   one folder a label, to train on\n"
        "  loupe train --wait          train now instead of at the next check\n"
        "  loupe upload images DIR     images to read\n"
        "  loupe detections            what was found\n"
        "  loupe reviews               what needs a person\n"
        "  loupe down                  stop; everything is kept"
    )


def down(context: typer.Context) -> None:
    """Stop Loupe on this machine. Images, models and settings are kept."""
    _of_this_machine(context)
    with err.status("Stopping…"):
        stopped = embedded.stop(home())
    words = "Loupe has stopped." if stopped else "Loupe was not running."
    out.print(f"{words} 'loupe up' goes on where it was.")


def _of_this_machine(context: typer.Context) -> Target:
    target: Target = context.obj
    if target.name != EMBEDDED:
        raise InvalidRequest(
            f"'up' and 'down' are for this machine; {target.name!r} is deployed with "
            "'make deploy' and deleted with 'make teardown'."
        )
    return target


def status(context: typer.Context, as_json: Json = False) -> None:
    """What is in service, what waits, and what happens next."""
    found = summary(context.obj)
    if as_json:
        show_json(found | {"cost": asdict(found["cost"].rounded)})
        return
    show_table(
        ["", ""], [(name.replace("_", " "), _words(value)) for name, value in found.items()], ""
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
        "new_labelled_images": progress.changes,
        "needed_to_train": needed_changes(settings.minimum_untrained_images, progress.not_promoted),
        "improving": activity(deps).text,
        "next_check": next_check(deps).reason,
        "labels": sorted(deps.dataset.label_counts().counts),
    } | ({} if deps.records.are_counted() else {"counts": "not all records are counted yet"})


def _in_queue(target: Target) -> int:
    """Images on their way to the model, as far as the queue knows."""
    counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    found = target.client("sqs").get_queue_attributes(
        QueueUrl=target.outputs["DetectionQueueUrl"], AttributeNames=list(counts)
    )
    return sum(int(found["Attributes"][count]) for count in counts)


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
