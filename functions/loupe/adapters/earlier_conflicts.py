"""Opens, once, the conflicts of a release that opened none for a picture under two labels."""

from datetime import datetime
from itertools import islice

from loupe.adapters.dataset import Dataset
from loupe.adapters.pointers import Pointers
from loupe.adapters.records import SETTLED_AFTER
from loupe.adapters.reviews import Reviews, conflicting
from loupe.adapters.table import Table
from loupe.domain.keys import timestamp
from loupe.domain.labelled_images import Change
from loupe.domain.review import label_conflict_id
from loupe.errors import AlreadyDone, TryAgain

WORK = "CONFLICTS"


class EarlierConflicts:
    """Groups in conflict without a review; `bucket` is that of the labelled images."""

    def __init__(self, table: Table, bucket: str) -> None:
        self._pointers = Pointers(table)
        self._dataset = Dataset(table)
        self._reviews = Reviews(table)
        self._bucket = bucket

    def open(self, now: datetime, limit: int) -> int:
        """Check up to `limit` groups; returns how many conflicts were opened.

        Successive calls go through all groups, and once more when no function of the earlier
        release runs any more. Raises TryAgain when an image is registered at the same time.
        """
        start = {"began": timestamp(now), "after": "", "last": False, "done": False}
        state = self._pointers.get(WORK, start)
        if state["done"]:
            return 0
        groups = list(islice(self._dataset.groups(state["after"], page=limit), limit))
        opened = sum(self._open(group.id, now) for _, group in groups if group.in_conflict)
        if len(groups) == limit:
            state["after"] = groups[-1][0]
        else:
            settled = now - datetime.fromisoformat(state["began"]) >= SETTLED_AFTER
            state |= {"after": "", "last": settled, "done": state["last"]}
        self._pointers.save(WORK, state)
        return opened

    def _open(self, group_id: str, now: datetime) -> bool:
        """Open the conflict of a group unless it was opened; returns whether it did."""
        label_counts = self._dataset.label_counts()
        group = self._dataset.group(group_id)
        if not group.in_conflict or self._reviews.find(label_conflict_id(group_id)):
            return False
        writes = conflicting(Change(group, group), self._bucket, timestamp(now), self._reviews)
        try:
            self._dataset.amend(label_counts, writes)
        except AlreadyDone as error:
            raise TryAgain(
                f"Conflict {group_id} is opened later: an image was registered."
            ) from error
        return True
