"""The page Activity: what happened, newest first."""

from dataclasses import dataclass
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.console.access import OPERATOR, only
from loupe.console.paging import one_page
from loupe.console.requests import checked
from loupe.console.schema import OneOf, PageQuery
from loupe.domain.events import TEXTS
from loupe.wiring import deps

SHOWN = ("id", "type", "at", "subject", "text")

router = Router()


@dataclass(frozen=True)
class EventQuery(PageQuery):
    """Events of one type, or of all."""

    type: Annotated[str, OneOf(TEXTS)] = ""


@router.get("/events", middlewares=only(OPERATOR))
@checked(router)
def events(query: EventQuery) -> dict[str, Any]:
    """A page of events, newest first."""
    found = deps().events.newest(query.type, before=query.cursor, page=query.limit + 1)
    items, following = one_page(found, query.limit, lambda item: str(item["at_id"]))
    return {
        "items": [{name: item[name] for name in SHOWN} for item in items],
        "next": following,
        "types": list(TEXTS),
    }
