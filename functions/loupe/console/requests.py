"""Reading what a request asks for. Whatever is wrong with it is said in words for a person."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from loupe.errors import InvalidRequest

LARGEST_PAGE = 100
LOOKED_AT = 2000
"""Records that one request looks through at most for those that a filter lets through."""

FILTERED = 500
"""Records that are read at a time when a filter may let few of them through."""

T = TypeVar("T")


def body(app: Any) -> dict[str, Any]:
    """The JSON object that was sent."""
    try:
        sent = app.current_event.json_body
    except json.JSONDecodeError as error:
        raise InvalidRequest(f"The request's body is not JSON: {error}.") from error
    if not isinstance(sent, dict):
        raise InvalidRequest("The request's body must be a JSON object.")
    return sent


def text(sent: Mapping[str, Any], name: str) -> str:
    """The text `name`."""
    value = sent.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidRequest(f"The request needs {name!r}, a text.")
    return value


def texts(sent: dict[str, Any], name: str, most: int = LARGEST_PAGE) -> Sequence[str]:
    """The list of texts `name`."""
    value = sent.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidRequest(f"The request needs {name!r}, a list of texts.")
    if not 0 < len(value) <= most:
        raise InvalidRequest(f"{name!r} takes 1 to {most} at a time; these are {len(value)}.")
    return value


def many(identities: Sequence[str], refused: Mapping[str, str]) -> dict[str, Any]:
    """What came of an order for many: how many were done, and which were not and why."""
    failed = [{"id": identity, "message": message} for identity, message in refused.items()]
    return {"done": len(set(identities)) - len(failed), "failed": failed}


def parameter(app: Any, name: str) -> str:
    """The query parameter `name`, or ""."""
    return str(app.current_event.get_query_string_value(name, "") or "")


def number(app: Any, name: str, default: float) -> float:
    """The query parameter `name` as a number."""
    given = parameter(app, name)
    try:
        return float(given) if given else default
    except ValueError as error:
        raise InvalidRequest(f"{name} cannot be {given!r}: it takes a number.") from error


def page_size(app: Any) -> int:
    """How many items a page is to have."""
    return max(1, min(LARGEST_PAGE, int(number(app, "limit", 50))))


def every(_: object) -> bool:
    """The filter that lets everything through."""
    return True


def read_at_a_time(size: int, filtered: bool) -> int:
    """How many records a query for a page reads: one more says whether there is another page."""
    return FILTERED if filtered else size + 1


def one_page(
    found: Iterable[T],
    size: int,
    position: Callable[[T], str],
    matches: Callable[[T], bool] = every,
) -> tuple[list[T], str | None]:
    """The first `size` of `found` that match, and the cursor from which to go on (None: the end).

    A filter that lets little through may end a page before it is full; its cursor goes on.
    """
    items: list[T] = []
    last: T | None = None
    rest: Iterator[T] = iter(found)
    for item in islice(rest, LOOKED_AT):
        if len(items) == size:
            return items, _cursor(last, position)
        last = item
        if matches(item):
            items.append(item)
    return items, _cursor(last, position) if next(rest, None) is not None else None


def _cursor(last: T | None, position: Callable[[T], str]) -> str | None:
    return None if last is None else position(last)
