"""Repeats writes that conflict with another transaction, which is over a moment later.

DynamoDB refuses one of two transactions on the same item, and botocore does not repeat it.
"""

import random
from collections.abc import Callable
from time import sleep
from typing import TypeVar

from loupe.errors import TryAgain

Result = TypeVar("Result")

ATTEMPTS = 8
FIRST_PAUSE, LONGEST_PAUSE = 0.025, 0.4
"""In seconds. All pauses together are 1.6 seconds at most, half of that on average."""


def persist(write: Callable[[int], Result]) -> Result:
    """The result of `write(attempt)`; `attempt` counts from 0.

    After TryAgain `write` is called again, after a random pause ("full jitter") whose limit
    doubles; the last attempt's TryAgain is raised.
    """
    for attempt in range(ATTEMPTS - 1):
        try:
            return write(attempt)
        except TryAgain:
            sleep(random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)))
    return write(ATTEMPTS - 1)
