"""Which versions run, and for how long they did: what the service said at the last look."""

from datetime import datetime

from loupe.adapters.items import from_item, readable, to_item
from loupe.adapters.table import Item, Table, save, update
from loupe.domain.events import Event
from loupe.domain.keys import timestamp
from loupe.domain.model_state import UP
from loupe.domain.running_hours import Look, next_look, unit_seconds
from loupe.errors import AlreadyDone

LOOKS = "RUNNING"
SWITCHES = "SWITCH"


class Running:
    """Looks at versions, and the time that they add up to."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def looks(self) -> dict[str, Look]:
        """The last look at each version that has ever run."""
        return dict(readable(lambda item: (item["sk"], _look(item)), self._table.children(LOOKS)))

    def look(self, version: str) -> Look | None:
        """The last look at a version, or None if it was never seen to run."""
        item = self._table.get(LOOKS, version)
        return None if item is None else _look(item)

    def record(
        self, version: str, before: Look | None, at: datetime, status: str, units: int
    ) -> None:
        """Keep a look that follows `before`, and count the time between the two once.

        A look that sees a prepared switch done tells its event. Nothing is written for a version
        that does not run. When another look was kept meanwhile, it has counted this time, and the
        next one goes on from there.
        """
        now = next_look(before, at, status, units)
        if now is None or (before and before.at >= at):
            return
        look = save(
            _item(version, now),
            "looked_at = :before" if before else "attribute_not_exists(pk)",
            {"before": timestamp(before.at)} if before else None,
        )
        ran = [
            update(f"RAN#{day[:7]}", f"{day[8:]}#{version}", "ADD unit_seconds :s", {"s": seconds})
            for day, seconds in unit_seconds(before, now).items()
        ]
        switches = self._switches_done(version, status)
        ended = [_announced(version, switch) for switch in switches]
        try:
            self._table.write([look, *ran, *ended], switches)
        except AlreadyDone:
            return

    def prepare_switch(self, version: str, switch: Event) -> None:
        """Keep the event of a start or stop that is about to be asked for.

        So the event is not lost, whatever happens after the service was asked.
        """
        item = {"pk": SWITCHES, "sk": version, "event": to_item(switch), "told": False}
        self._table.write([save(item | {"event_id": switch.id})])

    def cancel_switch(self, version: str, switch: Event) -> None:
        """Forget a prepared event: the service refused."""
        self._table.write([_announced(version, switch)])

    def _switches_done(self, version: str, status: str) -> list[Event]:
        """The prepared event, if `status` shows that its switch is done and nobody told it yet."""
        item = self._table.get(SWITCHES, version)
        if item is None or item["told"]:
            return []
        switch = from_item(Event, item["event"], f"The event of {SWITCHES} {version}")
        return [switch] if (status in UP) == (switch.type == "ModelStarted") else []

    def ran(self, month: str) -> list[tuple[str, str, float]]:
        """`(day, version, inference-unit seconds)` of a month, `2026-01`."""
        found = []
        for item in self._table.children(f"RAN#{month}"):
            day, _, version = item["sk"].partition("#")
            found.append((f"{month}-{day}", version, float(item["unit_seconds"])))
        return found


def _announced(version: str, switch: Event) -> Item:
    """A write that ends a prepared switch, once."""
    return update(
        SWITCHES,
        version,
        "SET told = :yes",
        {"yes": True, "no": False, "id": switch.id},
        "event_id = :id AND told = :no",
    )


def _item(version: str, look: Look) -> Item:
    looked = to_item(look)
    return {"pk": LOOKS, "sk": version, "looked_at": looked.pop("at"), **looked}


def _look(item: Item) -> Look:
    # `since` is "" as well where there is none; `at` is a word that DynamoDB keeps for itself.
    return from_item(Look, item | {"at": item.get("looked_at"), "since": item.get("since") or None})
