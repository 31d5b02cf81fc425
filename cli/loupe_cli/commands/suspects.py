"""suspects: labels that are probably wrong, confirmed or corrected."""

import getpass
from dataclasses import asdict
from typing import Annotated

import typer

from loupe.services.suspects import confirm, correct, open_suspects
from loupe_cli.options import Json
from loupe_cli.render import out, show_json, show_table

Suspect = Annotated[str, typer.Argument(metavar="ID", help="As 'loupe suspects' lists it.")]
By = Annotated[str, typer.Option(help="Who says so.")]

suspects = typer.Typer(help="Labels that are probably wrong.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(suspects, name="suspects")


@suspects.callback()
def list_suspects(context: typer.Context, as_json: Json = False) -> None:
    """Labelled images to look at again, the most doubtful first."""
    if context.invoked_subcommand:
        return
    listed = open_suspects(context.obj.deps)
    if as_json:
        show_json([{"id": each.id, "image": each.name, **asdict(each)} for each in listed])
        return
    show_table(
        ["id", "image", "label", "the model says", "lead", "version"],
        ((s.id, s.name, s.label, s.instead, f"{s.lead:.0f}", s.version) for s in listed),
        "No label is doubted. Labels are looked at when a new version is compared.",
    )


@suspects.command("confirm")
def confirm_label(context: typer.Context, suspect: Suspect, by: By = "") -> None:
    """Say that the label is right: the image is not listed again under it."""
    confirmed = confirm(suspect, by or getpass.getuser(), context.obj.deps)
    out.print(f"{confirmed.name} stays {confirmed.label}.", markup=False)


@suspects.command("correct")
def correct_label(
    context: typer.Context,
    suspect: Suspect,
    label: Annotated[str, typer.Argument(help="The right label.")],
    by: By = "",
) -> None:
    """Give the picture, with its near duplicates, its right label."""
    versions = correct(suspect, label, by or getpass.getuser(), context.obj.deps)
    out.print(f"It is labelled {label} now. {trained_on_it(versions)}", markup=False)


def trained_on_it(versions: list[str]) -> str:
    """Which versions were trained on the wrong label."""
    if not versions:
        return "None of the newest 20 versions was trained on the wrong label."
    return f"Trained on the wrong label: {', '.join(versions)}."
