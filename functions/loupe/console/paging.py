"""Answers about many: a page of a listing, and what came of an order for several."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from loupe.console.answers import ManyDone, Page, Refusal

LOOKED_AT = 2000
"""Records that one request looks through at most for those that a filter lets through."""

FILTERED = 500
"""Records that are read at a time when a filter may let few of them through."""

T = TypeVar("T")
View = TypeVar("View")


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
    shown: Callable[[T], View],
    matches: Callable[[T], bool] = every,
) -> Page[View]:
    """The first `size` of `listed` that match, as they are shown.

    A filter that lets little through may end a page before it is full; its cursor goes on.
    """
    items: list[View] = []
    last: T | None = None
    rest = iter(listed)
    for item in islice(rest, LOOKED_AT):
        last = item
        if matches(item):
            items.append(shown(item))
        if len(items) == size:
            break
    if last is None or next(rest, None) is None:
        return {"items": items, "next": None}
    return {"items": items, "next": sort_key(last)}
