"""Which versions run, and for how long they did: what the service said at the last look."""

from contextlib import suppress
from datetime import datetime

from loupe.adapters.items import from_item, readable, to_item
from loupe.adapters.table import Item, TableAdapter, save, unchanged, update
from loupe.domain.events import Event
from loupe.domain.keys import timestamp
from loupe.domain.model_state import UP
from loupe.domain.running_hours import Look, next_look, unit_seconds
from loupe.errors import AlreadyDone

LOOKS = "RUNNING"
SWITCHES = "SWITCH"


class Running(TableAdapter):
    """Looks at versions, and the time that they add up to."""

    def looks(self) -> dict[str, Look]:
        """The last look at each version that has ever run."""
        return dict(readable(lambda item: (item["sk"], _look(item)), self._table.children(LOOKS)))

    def look(self, version: str) -> Look | None:
        """The last look at a version, or None if it never ran."""
        item = self._table.get(LOOKS, version)
        return None if item is None else _look(item)

    def record(
        self, version: str, before: Look | None, at: datetime, status: str, units: int
    ) -> None:
        """Store a look that follows `before`, and count the time between the two once.

        Publishes the event of a prepared switch once the look shows that the switch is done. Writes
        nothing for a version that does not run, nor when another look was stored meanwhile: that
        one has counted the time.
        """
        now = next_look(before, at, status, units)
        if now is None or (before and before.at >= at):
            return
        condition = unchanged({"looked_at": timestamp(before.at)} if before else None)
        look = save(_item(version, now), *condition)
        ran = [
            update(f"RAN#{day[:7]}", f"{day[8:]}#{version}", "ADD unit_seconds :s", {"s": seconds})
            for day, seconds in unit_seconds(before, now).items()
        ]
        switches = self._switches_done(version, status)
        announced = [_announced(version, switch) for switch in switches]
        with suppress(AlreadyDone):
            self._table.write([look, *ran, *announced], switches)

    def prepare_switch(self, version: str, switch: Event) -> None:
        """Store the event of a start or stop before it is requested.

        So the event is not lost, whatever happens after the request.
        """
        item = {"pk": SWITCHES, "sk": version, "event": to_item(switch), "told": False}
        self._table.write([save(item | {"event_id": switch.id})])

    def cancel_switch(self, version: str, switch: Event) -> None:
        """Drop a prepared event: the service refused the request."""
        self._table.write([_announced(version, switch)])

    def _switches_done(self, version: str, status: str) -> list[Event]:
        """The prepared event, if `status` shows its switch done and it is not published yet."""
        item = self._table.get(SWITCHES, version)
        if item is None or item["told"]:
            return []
        switch = from_item(Event, item["event"], f"The event of {SWITCHES} {version}")
        return [switch] if (status in UP) == (switch.type == "ModelStarted") else []

    def ran(self, month: str) -> list[tuple[str, str, float]]:
        """`(day, version, inference-unit seconds)` of a month, `2026-01`."""
        return [
            (f"{month}-{day}", version, float(item["unit_seconds"]))
            for item in self._table.children(f"RAN#{month}")
            for day, version in [item["sk"].split("#", 1)]
        ]


def _announced(version: str, switch: Event) -> Item:
    """A write that marks the event of a prepared switch as published, once."""
    condition, before = unchanged({"event_id": switch.id, "told": False})
    return update(SWITCHES, version, "SET told = :yes", {"yes": True, **before}, condition)


def _item(version: str, look: Look) -> Item:
    looked = to_item(look)
    return {"pk": LOOKS, "sk": version, "looked_at": looked.pop("at"), **looked}


def _look(item: Item) -> Look:
    # "" stands for no `since` as well; `at` is a reserved word of DynamoDB.
    return from_item(Look, item | {"at": item.get("looked_at"), "since": item.get("since") or None})
