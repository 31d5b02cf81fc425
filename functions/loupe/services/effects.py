"""What follows from a decision, and is written in the same transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from loupe.adapters.items import Write
from loupe.domain.events import Event


@dataclass(frozen=True)
class Effect:
    """Writes to the table, and the events that they cause."""

    writes: Sequence[Write] = ()
    events: Sequence[Event] = ()
