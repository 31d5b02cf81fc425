"""events: what happened."""

import time
from collections.abc import Iterable
from itertools import islice
from typing import Annotated, Any

import typer

from loupe_cli.options import Json
from loupe_cli.render import local_time, out, show_json, show_table
from loupe_cli.target import Target

POLL_SECONDS = 1


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(events)


def events(
    context: typer.Context,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new ones.")] = False,
    limit: Annotated[int, typer.Option(help="Past events to show.", min=0)] = 20,
    as_json: Json = False,
) -> None:
    """What happened: newest first, or oldest first with --follow."""
    target: Target = context.obj
    newest = list(islice(target.deps.events.newest(), limit))
    if follow:
        _follow(target, newest)
    elif as_json:
        show_json([_shown(event) for event in newest])
    else:
        rows = ((local_time(e["at"]), e["type"], e["text"]) for e in newest)
        show_table(["at", "event", "what happened"], rows, "Nothing has happened yet.")


def _follow(target: Target, newest: list[dict[str, Any]]) -> None:
    _print(reversed(newest))
    last = newest[0]["at_id"] if newest else ""
    while True:
        fresh = list(target.deps.events.since(last))
        _print(fresh)
        last = fresh[-1]["at_id"] if fresh else last
        time.sleep(POLL_SECONDS)


def _print(past: Iterable[dict[str, Any]]) -> None:
    for event in past:
        out.print(f"{local_time(event['at'])}  {event['type']}  {event['text']}", markup=False)


def _shown(event: dict[str, Any]) -> dict[str, Any]:
    return {name: event[name] for name in ("id", "type", "at", "subject", "text", "detail")}
