"""settings, events: what an operator sets, and what happens."""

import getpass
import time
from collections.abc import Iterable
from itertools import islice
from typing import Annotated, Any

import typer

from loupe.domain.settings import CATALOGUE, setting
from loupe.services.settings import change_setting
from loupe_cli.render import local_time, out, show_json, show_table
from loupe_cli.target import Target

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
Name = Annotated[str, typer.Argument(help="As 'loupe settings' lists it.")]
POLL_SECONDS = 1

settings = typer.Typer(help="The operator's parameters.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(settings, name="settings")
    app.command()(events)


@settings.callback()
def list_settings(context: typer.Context, as_json: Json = False) -> None:
    """Every setting with its value and meaning."""
    if context.invoked_subcommand:
        return
    values = context.obj.deps.parameters.values()
    found = [
        {
            "name": known.name,
            "value": values.get(known.name, known.default),
            "default": known.default,
            "allowed": known.allowed,
            "meaning": known.meaning,
        }
        for known in CATALOGUE
    ]
    if as_json:
        show_json(found)
        return
    rows = ((s["name"], s["value"], f"{s['meaning']} ({s['allowed']})") for s in found)
    show_table(["setting", "value", "meaning"], rows, "")


@settings.command("get")
def get_setting(context: typer.Context, name: Name) -> None:
    """The value of one setting."""
    known = setting(name)
    print(context.obj.deps.parameters.values().get(known.name, known.default))


@settings.command("set", context_settings={"ignore_unknown_options": True})
def set_setting(
    context: typer.Context, name: Name, value: Annotated[str, typer.Argument(help="The new value.")]
) -> None:
    """Change one setting; it takes effect without a deployment."""
    changed = change_setting(name, value, getpass.getuser(), context.obj.deps)
    out.print(f"{changed.setting.name} is now {value}.")


def events(
    context: typer.Context,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new ones.")] = False,
    limit: Annotated[int, typer.Option(help="Past events to show.", min=0)] = 20,
    as_json: Json = False,
) -> None:
    """What happened: newest first, or oldest first with --follow."""
    target: Target = context.obj
    newest = list(islice(_newest(target), limit))
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


def _print(found: Iterable[dict[str, Any]]) -> None:
    for event in found:
        out.print(f"{local_time(event['at'])}  {event['type']}  {event['text']}", markup=False)


def _newest(target: Target) -> Iterable[dict[str, Any]]:
    return target.deps.events.newest()


def _shown(event: dict[str, Any]) -> dict[str, Any]:
    return {name: event[name] for name in ("id", "type", "at", "subject", "text", "detail")}
