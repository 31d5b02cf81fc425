"""Counts the records of a release that kept no counts by state, once, a part at a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from loupe.adapters.detections import KIND as DETECTION
from loupe.adapters.reviews import KIND as REVIEW
from loupe.adapters.reviews import awaited, review_of
from loupe.adapters.table import STATE_COUNTS, Item, Table, save, update
from loupe.domain.keys import timestamp
from loupe.errors import AlreadyDone

BATCH = 25
SETTLED_AFTER = timedelta(minutes=15)
"""So long after an update an old function may still write records."""


class Records:
    """Records that have a state: detections and reviews."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def are_counted(self) -> bool:
        """Whether the counts hold every record; not before the first housekeeping has looked."""
        state = self._table.get("STATE", "COUNTED")
        return state is not None and not state["behind"]

    def count_earlier(self, now: datetime, limit: int) -> int:
        """Count up to `limit` records of each kind; returns how many were looked at."""
        start: Item = {DETECTION: "", REVIEW: "", "began": timestamp(now), "done": False}
        state: Item = self._table.get("STATE", "COUNTED") or start
        if state["done"]:
            return 0
        looked_at, behind = 0, False
        pointers = {}
        for kind in (DETECTION, REVIEW):
            found = self._table.listing(
                "listing", kind, newest_first=False, after=state[kind], page=limit
            )
            items = list(islice(found, limit))
            for first in range(0, len(items), BATCH):
                self._count(items[first : first + BATCH])
            pointers[kind] = items[-1]["at_id"] if items else state[kind]
            looked_at += len(items)
            behind = behind or len(items) == limit
        settled = now - datetime.fromisoformat(state["began"]) >= SETTLED_AFTER
        progress = pointers | {"behind": behind, "done": settled and not behind}
        self._table.write([save({"pk": "STATE", "sk": "COUNTED", **state, **progress})])
        return looked_at

    def _count(self, items: Sequence[Item]) -> None:
        """Count the records that are not; one that has just moved is counted as it is now."""
        writes = [_counting(item) for item in items if item.get("counted") is not True]
        if not writes:
            return
        try:
            self._table.write(writes)
        except AlreadyDone:
            for item in items:
                current = self._table.get(item["pk"], item["sk"])
                self._count([current] if current else [])


def _counting(item: Item) -> dict[str, Any]:
    """A write that counts one record in the state that it had when counting began."""
    state = str(item.get("counted", item["list_state"]))
    values = {"counted": True, **(awaited(review_of(item)) if item["sk"] == REVIEW else {})}
    sets = ", ".join(f"#{name} = :{name}" for name in values)
    condition, before = "attribute_not_exists(counted)", {}
    if "counted" in item:
        condition, before = "counted = :before", {"before": state}
    write = update(
        item["pk"],
        item["sk"],
        f"SET {sets}",
        values | before | {"list_state": item["list_state"]},
        f"list_state = :list_state AND {condition}",
    )
    return write | {STATE_COUNTS: {state: 1}}
