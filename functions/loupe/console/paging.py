"""Answers about many: a page of a listing, and what came of an order for several."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from loupe.console.answers import ManyDone, Refusal

LOOKED_AT = 2000
"""Records that one request looks through at most for those that a filter lets through."""

FILTERED = 500
"""Records that are read at a time when a filter may let few of them through."""

T = TypeVar("T")


def many(identities: Sequence[str], refused: Mapping[str, str]) -> ManyDone:
    """What came of an order for many: how many were done, and which were not and why."""
    failed = [Refusal(id=identity, message=message) for identity, message in refused.items()]
    return {"done": len(set(identities)) - len(failed), "failed": failed}


def every(_: object) -> bool:
    """The filter that lets everything through."""
    return True


def read_at_a_time(size: int, filtered: bool) -> int:
    """How many records a query for a page reads: one more says whether there is another page."""
    return FILTERED if filtered else size + 1


def one_page(
    listed: Iterable[T],
    size: int,
    sort_key: Callable[[T], str],
    matches: Callable[[T], bool] = every,
) -> tuple[list[T], str | None]:
    """The first `size` of `listed` that match, and the cursor from which to go on (None: the end).

    A filter that lets little through may end a page before it is full; its cursor goes on.
    """
    items: list[T] = []
    last: T | None = None
    rest: Iterator[T] = iter(listed)
    for item in islice(rest, LOOKED_AT):
        if len(items) == size:
            return items, _cursor(last, sort_key)
        last = item
        if matches(item):
            items.append(item)
    return items, _cursor(last, sort_key) if next(rest, None) is not None else None


def _cursor(last: T | None, sort_key: Callable[[T], str]) -> str | None:
    return None if last is None else sort_key(last)
