"""The page Activity: what happened, newest first."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.console.access import OPERATOR, only
from loupe.console.requests import one_page, page_size, parameter
from loupe.domain.events import TEXTS
from loupe.errors import InvalidRequest
from loupe.wiring import deps

SHOWN = ("id", "type", "at", "subject", "text")

router = Router()


@router.get("/events", middlewares=only(OPERATOR))
def events() -> dict[str, Any]:
    """A page of events, of one type or of all."""
    kind = parameter(router, "type")
    if kind and kind not in TEXTS:
        raise InvalidRequest(f"{kind!r} is no type of event; they are: {', '.join(TEXTS)}.")
    index, value = ("states", f"EVENT#{kind}") if kind else ("listing", "EVENT")
    size = page_size(router)
    found = deps().table.listing(index, value, before=parameter(router, "cursor"), page=size + 1)
    items, following = one_page(found, size, lambda item: str(item["at_id"]))
    return {
        "items": [{name: item[name] for name in SHOWN} for item in items],
        "next": following,
        "types": list(TEXTS),
    }
