"""How results are shown: tables for people, JSON for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

PROSE_COLUMNS = ("why", "meaning", "what happened")
PROSE = 30
"""Characters that a column of sentences keeps, however narrow the window."""

COLOURS = {
    "accepted": "green",
    "answered": "green",
    "in_service": "green",
    "review": "yellow",
    "waiting": "yellow",
    "waiting_for_approval": "yellow",
    "training": "yellow",
    "unsure": "yellow",
    "rejected": "red",
    "failed": "red",
    "training_failed": "red",
    "below_gate": "red",
}


def fail(message: str) -> None:
    """Say on standard error what went wrong; the message is shown as it is."""
    err.print(f"[red]Error:[/] {escape(message)}", soft_wrap=True)


def show_json(value: Any) -> None:
    """JSON alone on standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=1))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], empty: str) -> None:
    """A table, or the sentence `empty` when there is nothing."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", min_width=PROSE if column in PROSE_COLUMNS else 0)
    for row in rows:
        table.add_row(*(text(cell) for cell in row))
    if table.row_count:
        out.print(table)
    else:
        out.print(empty)


def text(cell: Any) -> str:
    """A cell: states in colour, numbers short, nothing as a dash."""
    if cell is None or cell == "":
        return "-"
    if isinstance(cell, float):
        return f"{cell:.3f}"
    if isinstance(cell, str) and cell in COLOURS:
        return f"[{COLOURS[cell]}]{cell}[/]"
    return escape(str(cell))


def labels(listed: Iterable[Mapping[str, Any]], most: int = 3) -> str:
    """`cat 91 %, dog 7 %`; people's labels stand alone."""
    words = [
        f"{label['name']} (person)"
        if label["by"] == "person"
        else f"{label['name']} {label['confidence']:.0f} %"
        for label in listed
    ]
    return ", ".join(words[:most])


def local_time(at: str) -> str:
    """A UTC time in the reader's zone."""
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else ""
