"""States that pass by themselves: starting, stopping, creating, updating, deleting.

A row says when its passing state ends; `settle` writes what became of it. It needs no timer and
survives a restart.
"""

import os
import shutil
import time
from pathlib import Path

from loupe_local.database import Database

DELAY = float(os.environ.get("LOUPE_LOCAL_DELAY", "1.0"))
"""Seconds that a model takes to start or stop."""
DATASET_DELAY = DELAY / 4
"""Seconds that a dataset takes to be made or changed."""

PASSES = (
    ("version", "STARTING", "RUNNING", "The model is running."),
    ("version", "STOPPING", "STOPPED", "The model is stopped."),
    ("dataset", "CREATE_IN_PROGRESS", "CREATE_COMPLETE", "The dataset was created."),
    ("dataset", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "The dataset was updated."),
)


def due(delay: float) -> float:
    """When a state entered now ends."""
    return time.time() + delay


def settle(database: Database, models: Path) -> None:
    """Writes every state that has ended by now."""
    now = time.time()
    waiting = database.count(
        "SELECT (SELECT count(*) FROM version WHERE due <= ?) "
        "+ (SELECT count(*) FROM dataset WHERE due <= ?)",
        now,
        now,
    )
    if not waiting:
        return
    with database.change():
        # What AWS would bill for: a version that runs, from when it does until it is stopped.
        database.run(
            "INSERT INTO run (version, units, began) "
            "SELECT arn, minimum, due FROM version WHERE status = 'STARTING' AND due <= ?",
            now,
        )
        for table, old, new, message in PASSES:
            database.run(
                f"UPDATE {table} SET status = ?, message = ?, due = NULL "
                "WHERE status = ? AND due <= ?",
                new,
                message,
                old,
                now,
            )
        gone = database.rows(
            "SELECT arn, folder FROM version WHERE status = 'DELETING' AND due <= ?", now
        )
        for version in gone:
            database.run("DELETE FROM tag WHERE arn = ?", version["arn"])
            database.run("DELETE FROM version WHERE arn = ?", version["arn"])
    for version in gone:
        shutil.rmtree(models / version["folder"], ignore_errors=True)
