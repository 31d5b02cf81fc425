"""The commands, a module for each group of them."""

import typer

from loupe_cli.commands import (
    events,
    export,
    images,
    import_,
    labels,
    models,
    replay,
    reviewers,
    reviews,
    settings,
    stack,
    status,
    suspects,
    teardown,
    users,
)

IN_ORDER_OF_HELP = (
    stack,
    status,
    images,
    reviews,
    reviewers,
    labels,
    suspects,
    models,
    settings,
    events,
    users,
    export,
    import_,
    replay,
    teardown,
)


def register(app: typer.Typer) -> None:
    """Add all commands."""
    for module in IN_ORDER_OF_HELP:
        module.register(app)
