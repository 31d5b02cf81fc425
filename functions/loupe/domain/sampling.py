"""Quality samples: every n-th detection is checked by a person who does not see the guess."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def every_nth(items: Sequence[Item], interval: int, carried: int) -> tuple[list[Item], int]:
    """Every `interval`-th of `items`, oldest first, and how many are carried to the next call.

    `carried` detections since the last sample were seen by earlier calls, so that the interval
    holds over calls of any size. When the interval was made shorter, a sample is due at once.
    """
    carried = min(carried, interval - 1)
    sampled = list(items[interval - 1 - carried :: interval])
    return sampled, (carried + len(items)) % interval
