"""Domain events in the table, whose stream publishes them."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from loupe.adapters.table import COUNT, Item, Table
from loupe.domain.events import Event


class EventLog:
    """One item an event, kept for 90 days, and what they come to by the hour."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def write(self, *events: Event) -> None:
        """Write events that no other change goes with; one that is stored already stays."""
        self._table.write([], events)

    def newest(self, kind: str = "", before: str = "", page: int = 0) -> Iterator[Item]:
        """Events, newest first, of one type or of all; the range is that of `Table.listing`."""
        index, value = ("states", f"EVENT#{kind}") if kind else ("listing", "EVENT")
        return self._table.listing(index, value, before=before, page=page)

    def since(self, after: str = "", before: str = "") -> Iterator[Item]:
        """Events between two times or positions, oldest first."""
        return self._table.listing(
            "listing", "EVENT", newest_first=False, after=after, before=before
        )

    def history(self, image_id: str) -> Iterator[Item]:
        """The events of one image, oldest first."""
        return self._table.listing("history", image_id, newest_first=False)

    def hours(self, day: str) -> dict[str, Counter[str]]:
        """What the events of `day` (`2026-01-31`) came to: `{hour: {count's name: number}}`."""
        counted: dict[str, Counter[str]] = defaultdict(Counter)
        for item in self._table.children(f"HOURS#{day}"):
            counts = {name[len(COUNT) :]: n for name, n in item.items() if name.startswith(COUNT)}
            counted[item["sk"][:2]].update(counts)
        return counted
