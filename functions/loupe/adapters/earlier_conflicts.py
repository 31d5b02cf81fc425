"""Opens the conflicts of a release that asked nobody about a picture under two labels, once."""

from datetime import datetime
from itertools import islice
from typing import Any

from loupe.adapters.dataset import Dataset
from loupe.adapters.records import SETTLED_AFTER
from loupe.adapters.reviews import Reviews, conflicting
from loupe.adapters.table import Table, save
from loupe.domain.keys import timestamp
from loupe.domain.labelled_images import Change
from loupe.domain.review import label_conflict_id
from loupe.errors import AlreadyDone, TryAgain


class EarlierConflicts:
    """Groups in conflict without a review; `bucket` is that of the labelled images."""

    def __init__(self, table: Table, bucket: str) -> None:
        self._table = table
        self._dataset = Dataset(table)
        self._reviews = Reviews(table)
        self._bucket = bucket

    def open(self, now: datetime, limit: int) -> int:
        """Look at up to `limit` groups; returns how many conflicts were opened.

        All groups are gone through from the first call on, and once more when no function of the
        earlier release runs any more. Raises TryAgain when a registration comes between.
        """
        start: dict[str, Any] = {"began": timestamp(now), "after": "", "last": False, "done": False}
        state = self._table.get("STATE", "CONFLICTS") or start
        if state["done"]:
            return 0
        groups = list(islice(self._dataset.groups(state["after"], page=limit), limit))
        opened = sum(self._open(group.id, now) for _, group in groups if group.in_conflict)
        if len(groups) == limit:
            state |= {"after": groups[-1][0]}
        else:
            settled = now - datetime.fromisoformat(state["began"]) >= SETTLED_AFTER
            state |= {"after": "", "last": settled, "done": state["last"]}
        self._table.write([save(state | {"pk": "STATE", "sk": "CONFLICTS"})])
        return opened

    def _open(self, group_id: str, now: datetime) -> bool:
        """Open the conflict of a group unless it was opened; returns whether it did."""
        ledger = self._dataset.label_counts()
        group = self._dataset.group(group_id)
        if not group.in_conflict or self._reviews.find(label_conflict_id(group_id)):
            return False
        writes = conflicting(Change(group, group), self._bucket, timestamp(now), self._reviews)
        try:
            self._dataset.amend(ledger, writes)
        except AlreadyDone as error:
            raise TryAgain(f"Conflict {group_id} is opened later: an image came.") from error
        return True
