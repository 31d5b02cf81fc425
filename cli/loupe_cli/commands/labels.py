"""labels: list, describe, rename and merge labels; make one of images that no label fits."""

import getpass
from collections.abc import Mapping
from typing import Annotated

import typer

from loupe.domain.keys import LABELLED_PREFIX
from loupe.domain.labelled_images import hashed_key
from loupe.services.labels import Moved, describe, every_label, merge, rename
from loupe.services.unlabelled import groups, make_label, with_those_alike
from loupe_cli.options import Json
from loupe_cli.render import local_time, out, show_json, show_table
from loupe_cli.target import Target

By = Annotated[str, typer.Option(help="Who says so.")]

labels = typer.Typer(help="The labels, and images that none of them fits.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(labels, name="labels")


@labels.command("list")
def list_labels(context: typer.Context, as_json: Json = False) -> None:
    """Labels, their usable images and what reviewers see of them."""
    entries = every_label(context.obj.deps)
    if as_json:
        show_json(
            [
                {
                    "label": entry.label,
                    "train": entry.count.train,
                    "test": entry.count.test,
                    "description": entry.note.description,
                    "references": list(entry.note.references),
                }
                for entry in entries
            ]
        )
        return
    show_table(
        ["label", "train", "test", "description", "references"],
        (
            (e.label, e.count.train, e.count.test, e.note.description, len(e.note.references))
            for e in entries
        ),
        "There is no label yet: 'loupe upload labelled DIR', or set Labels.",
    )


@labels.command("describe")
def describe_label(
    context: typer.Context,
    label: Annotated[str, typer.Argument(help="The label.")],
    text: Annotated[str | None, typer.Option(help="What reviewers read of it.")] = None,
    reference: Annotated[
        list[str] | None, typer.Option(help="A labelled image to show, such as cat/1.png.")
    ] = None,
    by: By = "",
) -> None:
    """Say what reviewers see of a label: a text, and reference images instead of those before."""
    deps = context.obj.deps
    ids = [hashed_key(LABELLED_PREFIX + name) for name in reference] if reference else None
    note = describe(label, by or getpass.getuser(), deps, text, ids)
    out.print(f"{label}: {note.description} ({len(note.references)} references)", markup=False)


@labels.command("rename")
def rename_label(
    context: typer.Context,
    old: Annotated[str, typer.Argument(help="The label as it is.")],
    new: Annotated[str, typer.Argument(help="A label without images.")],
    by: By = "",
) -> None:
    """Move all images of a label to a new one."""
    _show_moved(rename(old, new, by or getpass.getuser(), context.obj.deps), old, new, context.obj)


@labels.command("merge")
def merge_labels(
    context: typer.Context,
    old: Annotated[str, typer.Argument(help="The label that ends.")],
    into: Annotated[str, typer.Argument(help="The label that gets its images.")],
    by: By = "",
) -> None:
    """Move all images of a label to another one that has images, or end an interrupted rename."""
    _show_moved(merge(old, into, by or getpass.getuser(), context.obj.deps), old, into, context.obj)


@labels.command("none")
def list_none(context: typer.Context, as_json: Json = False) -> None:
    """Images that no label fits, in groups that look alike, the largest first."""
    rows = [
        (number, image)
        for number, group in enumerate(groups(context.obj.deps), 1)
        for image in group
    ]
    if as_json:
        show_json(
            [
                {
                    "group": number,
                    "id": each.image.id,
                    "image": each.image.name,
                    "scores": each.scores,
                    "at": each.at,
                }
                for number, each in rows
            ]
        )
        return
    show_table(
        ["group", "id", "image", "the model said", "at"],
        (
            (number, each.image.id, each.image.name, _surest(each.scores), local_time(each.at))
            for number, each in rows
        ),
        "No image waits for a label.",
    )


@labels.command("make")
def make(
    context: typer.Context,
    label: Annotated[str, typer.Argument(help="The label, which may be new.")],
    images: Annotated[list[str], typer.Argument(metavar="ID...", help="From 'loupe labels none'.")],
    alike: Annotated[
        bool, typer.Option("--alike", help="With all images of their groups.")
    ] = False,
    by: By = "",
) -> None:
    """Make images that no label fits images of a label, which may be new."""
    deps = context.obj.deps
    ids = with_those_alike(images, deps) if alike else images
    errors = make_label(label, ids, by or getpass.getuser(), deps)
    out.print(f"{len(set(ids)) - len(errors)} images are of {label} now.", markup=False)
    _show_errors(errors)


def _surest(scores: Mapping[str, float], most: int = 3) -> str:
    """`cat 60 %, dog 30 %`."""
    surest = sorted(scores.items(), key=lambda score: -score[1])[:most]
    return ", ".join(f"{name} {score:.0f} %" for name, score in surest)


def _show_moved(moved: Moved, old: str, new: str, target: Target) -> None:
    out.print(f"{moved.moved} images moved from {old} to {new}.", markup=False)
    _show_errors(moved.failed)
    if old in target.deps.parameters.settings().labels:
        out.print(
            f"The setting Labels still names {old}: 'loupe settings set Labels ...' changes it.",
            markup=False,
        )


def _show_errors(errors: Mapping[str, str]) -> None:
    for name, message in errors.items():
        out.print(f"{name}: {message}", markup=False)
    if errors:
        raise typer.Exit(1)
