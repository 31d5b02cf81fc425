"""reviewers: how much, how fast and how well people answer."""

import typer

from loupe.domain.reviewers import Reviewer
from loupe.services.reviewers import reviewers as figures
from loupe_cli.options import Json
from loupe_cli.render import local_time, out, show_json, show_table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reviewers)


def reviewers(context: typer.Context, as_json: Json = False) -> None:
    """How much, how fast and how well people answer reviews."""
    known = figures(context.obj.deps)
    if as_json:
        show_json([one.as_json() for one in known.reviewers])
        return
    show_table(
        ["reviewer", "answers", "seconds", "agreement", "gold tasks", "reliability", "last"],
        map(_row, known.reviewers),
        "Nobody has answered a review yet.",
    )
    if known.agreement is not None:
        out.print(f"Agreement of all (Krippendorff's alpha): {known.agreement:.2f}")


def _row(one: Reviewer) -> tuple[object, ...]:
    return (
        one.name,
        one.answers,
        None if one.seconds is None else f"{one.seconds:.0f}",
        None if one.agreement is None else f"{one.agreement:.2f} of {one.shared}",
        f"{one.gold.right} of {one.gold.answered}" if one.gold.answered else None,
        _reliability(one),
        local_time(one.last),
    )


def _reliability(one: Reviewer) -> str | None:
    if not one.labels:
        return None
    return f"{one.reliability:.2f}, too low" if one.below else f"{one.reliability:.2f}"
