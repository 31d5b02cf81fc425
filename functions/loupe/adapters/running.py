"""Which versions run, and for how long they did: what the service said at the last look.

| pk | sk | |
| --- | --- | --- |
| RUNNING | a version | the last look at it |
| RAN#2026-01 | 31#v3 | its inference-unit seconds of a day |
"""

from datetime import datetime

from loupe.adapters.table import Item, Table, put, update
from loupe.domain.places import stamp
from loupe.domain.running_hours import Look, next_look, unit_seconds
from loupe.errors import AlreadyDone

LOOKS = "RUNNING"


class Running:
    """Looks at versions, and the time that they add up to."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def looks(self) -> dict[str, Look]:
        """The last look at each version that has ever run."""
        return {item["sk"]: _look(item) for item in self._table.children(LOOKS)}

    def look(self, version: str) -> Look | None:
        """The last look at a version, or None if it was never seen to run."""
        item = self._table.get(LOOKS, version)
        return None if item is None else _look(item)

    def record(
        self, version: str, before: Look | None, at: datetime, status: str, units: int
    ) -> None:
        """Keep a look that follows `before`, and count the time between the two once.

        Nothing is written for a version that does not run. When another look was kept meanwhile,
        it has counted this time, and the next one goes on from there.
        """
        now = next_look(before, at, status, units)
        if now is None or (before and before.at >= at):
            return
        look = put(
            _item(version, now),
            "looked_at = :before" if before else "attribute_not_exists(pk)",
            {":before": stamp(before.at)} if before else None,
        )
        ran = [
            update(f"RAN#{day[:7]}", f"{day[8:]}#{version}", "ADD unit_seconds :s", {"s": seconds})
            for day, seconds in unit_seconds(before, now).items()
        ]
        try:
            self._table.write([look, *ran])
        except AlreadyDone:
            return

    def ran(self, month: str) -> list[tuple[str, str, float]]:
        """`(day, version, inference-unit seconds)` of a month, `2026-01`."""
        found = []
        for item in self._table.children(f"RAN#{month}"):
            day, _, version = item["sk"].partition("#")
            found.append((f"{month}-{day}", version, float(item["unit_seconds"])))
        return found


def _item(version: str, look: Look) -> Item:
    return {
        "pk": LOOKS,
        "sk": version,
        "looked_at": stamp(look.at),
        "status": look.status,
        "units": look.units,
        "since": stamp(look.since) if look.since else "",
    }


def _look(item: Item) -> Look:
    return Look(
        at=datetime.fromisoformat(item["looked_at"]),
        status=item["status"],
        units=item["units"],
        since=datetime.fromisoformat(item["since"]) if item["since"] else None,
    )
