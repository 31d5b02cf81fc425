"""The page Activity: what happened, newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict, cast

from loupe.console.access import Role
from loupe.console.paging import one_page
from loupe.console.requests import Api
from loupe.console.schema import OneOf, PageQuery
from loupe.domain.events import TEXTS
from loupe.wiring import deps

router = Api()


@dataclass(frozen=True)
class EventQuery(PageQuery):
    """Events of one type, or of all."""

    type: Annotated[str, OneOf(TEXTS)] = ""


class EventView(TypedDict):
    """An event as people read it."""

    id: str
    type: str
    at: str
    subject: str
    text: str


class EventPage(TypedDict):
    """A page of events, and all types that there are."""

    items: list[EventView]
    next: str | None
    types: list[str]


@router.offer("GET", "/events", Role.OPERATOR)
def events(query: EventQuery) -> EventPage:
    """A page of events, newest first."""
    newest = deps().events.newest(query.type, before=query.cursor, page=query.limit + 1)
    page = one_page(newest, query.limit, lambda item: str(item["at_id"]), event_view)
    return {**page, "types": list(TEXTS)}


def event_view(event: Mapping[str, Any]) -> EventView:
    """What is shown of an event of the log."""
    return cast(EventView, {name: event[name] for name in EventView.__annotations__})
