"""Counts, once and in parts, the records of a release that kept no counts by state."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from loupe.adapters.detections import KIND as DETECTION
from loupe.adapters.pointers import Pointers
from loupe.adapters.reviews import KIND as REVIEW
from loupe.adapters.reviews import awaited, review_of
from loupe.adapters.table import STATE_COUNTS, Item, Table, unchanged, update
from loupe.domain.keys import timestamp
from loupe.errors import AlreadyDone

WORK = "COUNTED"
BATCH = 25
SETTLED_AFTER = timedelta(minutes=15)
"""Time after an update in which functions of the earlier release may still write records."""


class Records:
    """Records that have a state: detections and reviews."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._pointers = Pointers(table)

    def are_counted(self) -> bool:
        """Whether the counts hold every record; False until the housekeeping has run once."""
        return not self._pointers.get(WORK, {"behind": True})["behind"]

    def count_earlier(self, now: datetime, limit: int) -> int:
        """Count up to `limit` records of each kind; returns how many it read."""
        start = {DETECTION: "", REVIEW: "", "began": timestamp(now), "done": False}
        state = self._pointers.get(WORK, start)
        if state["done"]:
            return 0
        read, behind = 0, False
        for kind in (DETECTION, REVIEW):
            listing = self._table.listing(kind, newest_first=False, after=state[kind], page=limit)
            items = list(islice(listing, limit))
            for first in range(0, len(items), BATCH):
                self._count(items[first : first + BATCH])
            if items:
                state[kind] = items[-1]["at_id"]
            read += len(items)
            behind = behind or len(items) == limit
        settled = now - datetime.fromisoformat(state["began"]) >= SETTLED_AFTER
        self._pointers.save(WORK, state | {"behind": behind, "done": settled and not behind})
        return read

    def _count(self, items: Sequence[Item]) -> None:
        """Count the records that are not counted; one that moves meanwhile, in its new state."""
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
    condition, before = unchanged({k: item[k] for k in ("list_state", "counted") if k in item})
    if "counted" not in item:
        condition += " AND attribute_not_exists(counted)"
    sets = ", ".join(f"#{name} = :{name}" for name in values)
    write = update(item["pk"], item["sk"], f"SET {sets}", values | before, condition)
    return write | {STATE_COUNTS: {state: 1}}
