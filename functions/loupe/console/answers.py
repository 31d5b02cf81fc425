"""What several routes answer.

What a route answers is the type that it returns: a TypedDict that stands beside it, or a dataclass
of a layer below. `python -m tools.openapi` writes console/openapi.json from these.
"""

from typing import Generic, TypedDict, TypeVar

Item = TypeVar("Item")


class Page(TypedDict, Generic[Item]):
    """A page of a listing; `next` is the cursor of the next page, or null at the end."""

    items: list[Item]
    next: str | None


class All(TypedDict, Generic[Item]):
    """A listing that has no pages."""

    items: list[Item]


class Refusal(TypedDict):
    """An item that failed, and why."""

    id: str
    message: str


class ManyDone(TypedDict):
    """What came of an order for several items."""

    done: int
    failed: list[Refusal]


class Message(TypedDict):
    """A sentence for the reader; every error has one."""

    message: str


class Denial(Message):
    """What Powertools answers to a request that reaches no route."""

    statusCode: int
