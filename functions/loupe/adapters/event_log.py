"""Domain events in the table, whose stream publishes them."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from loupe.adapters.table import COUNT, Item, TableAdapter
from loupe.domain.events import Event


class EventLog(TableAdapter):
    """One item for each event, kept for 90 days, and the number of events by hour."""

    def write(self, *events: Event) -> None:
        """Write events that belong to no other change; one that is stored already stays."""
        self._table.write([], events)

    def newest(self, kind: str = "", before: str = "", page: int = 0) -> Iterator[Item]:
        """Events, newest first, of one type or of all; the range is that of `Table.listing`."""
        return self._table.listing("EVENT", kind, before=before, page=page)

    def since(self, after: str = "", before: str = "") -> Iterator[Item]:
        """Events between two times or sort keys, oldest first."""
        return self._table.listing("EVENT", newest_first=False, after=after, before=before)

    def history(self, image_id: str) -> Iterator[Item]:
        """The events of one image, oldest first."""
        return self._table.listing(image_id, index="history", newest_first=False)

    def hours(self, day: str) -> dict[str, Counter[str]]:
        """The counts of a day (`2026-01-31`): `{hour: {count's name: number}}`."""
        hours: dict[str, Counter[str]] = defaultdict(Counter)
        for item in self._table.children(f"HOURS#{day}"):
            counts = {name[len(COUNT) :]: n for name, n in item.items() if name.startswith(COUNT)}
            hours[item["sk"][:2]].update(counts)
        return hours
