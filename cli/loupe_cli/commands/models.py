"""models, train, approve, reject, rollback: versions of the model."""

import getpass
import json
import time
from typing import Annotated, Any

import typer

from loupe.domain.comparison import FEW_IMAGES
from loupe.services.serving import decide_approval
from loupe_cli.options import Json
from loupe_cli.render import err, local_time, out, show_json, show_table
from loupe_cli.target import Target

Wait = Annotated[bool, typer.Option("--wait", help="Wait until it has ended.")]
By = Annotated[str, typer.Option(help="Who decides.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (models, train, approve, reject, rollback):
        app.command()(command)


def models(context: typer.Context, as_json: Json = False) -> None:
    """Versions of the model, newest first."""
    versions = context.obj.deps.versions
    in_service = versions.service().version
    listed = [version.as_json(in_service) for version in versions.newest()]
    if as_json:
        show_json(listed)
        return
    show_table(
        [
            "version",
            "status",
            "F1 (Rekognition)",
            "trained on",
            "holdout",
            "quality samples",
            "reported",
            "why",
        ],
        (
            (
                v["name"],
                v["status"],
                v["f1"],
                v["training_images"],
                _holdout(v["holdout_images"]),
                f"{v['samples_agreed']} of {v['samples']} agree" if v["samples"] else None,
                f"{v['reports_confirmed']} of {v['reports']} wrong" if v["reports"] else None,
                _why(v),
            )
            for v in listed
        ),
        "No version has been trained yet: 'loupe upload labelled DIR', then 'loupe train'.",
    )


def _why(version: dict[str, Any]) -> str:
    retry_at = version["retry_at"]
    pause = f"; tried again after {local_time(retry_at)}" if retry_at else ""
    return f"{version['reason']}{pause}"


def train(
    context: typer.Context,
    wait: Wait = False,
    again: Annotated[
        bool, typer.Option("--again", help="Take a failed training up at once, with its data.")
    ] = False,
) -> None:
    """Check now whether to train, instead of at the next scheduled check."""
    target: Target = context.obj
    execution = target.improve({"again": again})
    _report(target, execution, wait)


def rollback(
    context: typer.Context,
    version: Annotated[str, typer.Argument(help="As 'loupe models' lists it.")],
    wait: Wait = False,
) -> None:
    """Put an earlier version back into service."""
    target: Target = context.obj
    target.deps.versions.get(version)
    _report(target, target.improve({"deploy": version}), wait)


def approve(context: typer.Context, by: By = "") -> None:
    """Let the version that waits for approval into service."""
    _decide(context.obj, True, by)


def reject(context: typer.Context, by: By = "") -> None:
    """Reject the version that waits for approval."""
    _decide(context.obj, False, by)


def _decide(target: Target, approved: bool, by: str) -> None:
    version = decide_approval(approved, by or getpass.getuser(), target.deps)
    words = "approved: it starts, is tried, and takes over" if approved else "rejected"
    out.print(f"{version.name} was {words}.")


def _report(target: Target, execution: str, wait: bool) -> None:
    """What the check decided at once, or with `wait` how it all ended."""
    machine = target.client("stepfunctions")
    with err.status("Checking…") as spinner:
        while (run := machine.describe_execution(executionArn=execution))["status"] == "RUNNING":
            state = _state(machine, execution)
            spinner.update(f"{state}…")
            if not wait and _decided(state):
                out.print(f"Started: {state}. 'loupe status' and 'loupe events' follow it.")
                return
            time.sleep(0.5)
    _show_end(run)


def _show_end(run: dict[str, Any]) -> None:
    if run["status"] != "SUCCEEDED":
        raise RuntimeError(run.get("cause") or f"The training run ended as {run['status']}.")
    output = json.loads(run["output"])
    if output.get("action") == "nothing":
        out.print(f"Nothing to do: {output['reason']}.")
    else:
        out.print(f"{output['version']}: {output['outcome']}. {output['reason']}.")


def _state(machine: Any, execution: str) -> str:
    history = machine.get_execution_history(
        executionArn=execution, reverseOrder=True, maxResults=50
    )
    for event in history["events"]:
        if "stateEnteredEventDetails" in event:
            return str(event["stateEnteredEventDetails"]["name"])
    return "Read settings"


def _decided(state: str) -> bool:
    return state not in ("Read settings", "Check training", "What is to be done?", "Nothing to do")


def _holdout(images: int) -> str:
    return f"{images} (only)" if 0 < images < FEW_IMAGES else str(images)
