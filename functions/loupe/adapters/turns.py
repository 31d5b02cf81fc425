"""Turns: what one run at a time does, of several that the same minute has started."""

from datetime import datetime, timedelta

from loupe.adapters.table import Table, save
from loupe.domain.keys import timestamp
from loupe.errors import AlreadyDone


class Turns:
    """One item for each kind of work. A turn ends by itself, so that none is held for ever."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, work: str, now: datetime, lasts: timedelta) -> bool:
        """Whether it is the caller's turn; nobody else gets it before `lasts` is over."""
        turn = {"pk": "STATE", "sk": f"TURN#{work}", "turn_ends": timestamp(now + lasts)}
        condition = "attribute_not_exists(pk) OR turn_ends <= :now"
        try:
            self._table.write([save(turn, condition, {"now": timestamp(now)})])
        except AlreadyDone:
            return False
        return True
