"""Quality samples: a person checks every n-th detection without the model's guess."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def every_nth(items: Sequence[Item], interval: int, carried: int) -> tuple[list[Item], int]:
    """Every `interval`-th of `items`, oldest first, and how many are carried to the next call.

    `carried` is the number of detections since the last sample in earlier calls, so that the
    interval spans calls of any size. After a shorter interval is set, a sample may be due at once.
    """
    carried = min(carried, interval - 1)
    sampled = list(items[interval - 1 - carried :: interval])
    return sampled, (carried + len(items)) % interval
