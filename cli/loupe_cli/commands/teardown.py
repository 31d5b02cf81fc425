"""teardown: delete a stack with everything in it."""

from typing import Annotated

import typer

from loupe_cli.inventory import Resource, find_workforce, own_workforces, resources
from loupe_cli.options import Json, Yes
from loupe_cli.render import err, out, show_json, show_table
from loupe_cli.target import Target, home
from loupe_cli.teardown import (
    TeardownFailed,
    delete_stack,
    delete_strays,
    delete_workforce,
    empty_buckets,
    stack_status,
    stop_training_runs,
    wait_for_trainings,
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(teardown)


def teardown(
    context: typer.Context,
    yes: Yes = False,
    workforce: Annotated[
        str, typer.Option(help="Delete this private workforce of Amazon A2I, too.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Delete the stack with everything in it: images, labels, reviews, models."""
    target: Target = context.obj
    team = find_workforce(target, workforce)
    present = [*resources(target), *team]
    if not present and not stack_status(target):
        _say_what_is_left(target, [], [], as_json)
        return
    if not as_json:
        show_table(["what", "name", ""], ((t.kind, t.name, t.note) for t in present), "")
        dollars = sum(resource.dollars for resource in present)
        out.print(f"As it is now, it costs about ${dollars:,.2f} a month to keep.")
    if not yes:
        typer.confirm(f"Delete all of this, and {target.name!r} itself?", abort=True)
    with err.status("Stopping what is at work…") as spinner:
        stop_training_runs(target)
        wait_for_trainings(target, spinner.update)
        spinner.update("Emptying the bucket…")
        empty_buckets(target)
        spinner.update("Deleting the stack (models are stopped first, which takes minutes)…")
        delete_stack(target)
        spinner.update("Deleting what no stack owns any more…")
        delete_strays(target)
        if team:
            delete_workforce(target, workforce)
    (home() / "deployed").unlink(missing_ok=True)
    left = resources(target)
    _say_what_is_left(target, present, left, as_json)
    if left:
        raise TeardownFailed("Some of it is left: run 'loupe teardown' again.")


def _say_what_is_left(
    target: Target, deleted: list[Resource], left: list[Resource], as_json: bool
) -> None:
    if as_json:
        show_json({"deleted": [vars(t) for t in deleted], "left": [vars(t) for t in left]})
        return
    show_table(
        ["left", "name", ""],
        ((t.kind, t.name, t.note) for t in left),
        f"Nothing is left of {target.name!r}.",
    )
    for kept in own_workforces(target):
        out.print(
            f"The private workforce {kept!r} is kept, with the pool of its members, who may have "
            f"other work. It costs nothing; 'loupe teardown --workforce {kept}' deletes it.",
            markup=False,
        )
