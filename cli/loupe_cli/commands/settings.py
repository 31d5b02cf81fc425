"""settings: what an operator sets."""

import getpass
from typing import Annotated

import typer

from loupe.domain.settings import CATALOGUE, setting
from loupe.services.settings import change_setting
from loupe_cli.options import Json
from loupe_cli.render import out, show_json, show_table

Name = Annotated[str, typer.Argument(help="As 'loupe settings' lists it.")]

settings = typer.Typer(help="The operator's parameters.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(settings, name="settings")


@settings.callback()
def list_settings(context: typer.Context, as_json: Json = False) -> None:
    """Every setting with its value and meaning."""
    if context.invoked_subcommand:
        return
    values = context.obj.deps.parameters.values()
    listed = [
        {
            "name": each.name,
            "value": values.get(each.name, each.default),
            "default": each.default,
            "allowed": each.allowed,
            "meaning": each.meaning,
        }
        for each in CATALOGUE
    ]
    if as_json:
        show_json(listed)
        return
    rows = ((s["name"], s["value"], f"{s['meaning']} ({s['allowed']})") for s in listed)
    show_table(["setting", "value", "meaning"], rows, "")


@settings.command("get")
def get_setting(context: typer.Context, name: Name) -> None:
    """The value of one setting."""
    chosen = setting(name)
    print(context.obj.deps.parameters.values().get(chosen.name, chosen.default))


@settings.command("set", context_settings={"ignore_unknown_options": True})
def set_setting(
    context: typer.Context, name: Name, value: Annotated[str, typer.Argument(help="The new value.")]
) -> None:
    """Change one setting; it takes effect without a deployment."""
    changed = change_setting(name, value, getpass.getuser(), context.obj.deps)
    out.print(f"{changed.name} is now {value}.")
