"""The page Activity: what happened, newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.console.access import Role, only
from loupe.console.paging import one_page
from loupe.console.requests import checked
from loupe.console.schema import OneOf, PageQuery
from loupe.domain.events import TEXTS
from loupe.wiring import deps

router = Router()


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


@router.get("/events", middlewares=only(Role.OPERATOR))
@checked(router)
def events(query: EventQuery) -> EventPage:
    """A page of events, newest first."""
    newest = deps().events.newest(query.type, before=query.cursor, page=query.limit + 1)
    items, following = one_page(newest, query.limit, lambda item: str(item["at_id"]))
    return {
        "items": [event_view(item) for item in items],
        "next": following,
        "types": list(TEXTS),
    }


def event_view(event: Mapping[str, Any]) -> EventView:
    """What is shown of an event of the log."""
    return {
        "id": event["id"],
        "type": event["type"],
        "at": event["at"],
        "subject": event["subject"],
        "text": event["text"],
    }
