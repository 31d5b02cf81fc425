"""Turns: work that only one of several parallel runs does."""

from datetime import datetime, timedelta

from loupe.adapters.table import TableAdapter, save
from loupe.domain.keys import timestamp
from loupe.errors import AlreadyDone


class Turns(TableAdapter):
    """One item for each kind of work. A turn ends by itself, so a run that fails blocks nothing."""

    def take(self, work: str, now: datetime, lasts: timedelta) -> bool:
        """Whether it is the caller's turn; no other caller gets one for the time `lasts`."""
        turn = {"pk": "STATE", "sk": f"TURN#{work}", "turn_ends": timestamp(now + lasts)}
        condition = "attribute_not_exists(pk) OR turn_ends <= :now"
        try:
            self._table.write([save(turn, condition, {"now": timestamp(now)})])
        except AlreadyDone:
            return False
        return True
