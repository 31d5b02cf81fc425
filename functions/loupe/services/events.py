"""Write domain events, and publish them to every subscriber."""

from collections.abc import Mapping
from typing import Any

from loupe.adapters.items import plain
from loupe.domain.events import make_event
from loupe.telemetry import METERED_EVENTS, meter
from loupe.wiring import Deps

PUBLISHED = ("id", "type", "at", "subject", "text", "detail")


def announce(kind: str, cause: str, deps: Deps, **detail: Any) -> None:
    """Write an event of its own, one that no other change causes; `cause` makes it unique."""
    deps.events.write(make_event(kind, cause, deps.clock(), **detail))


def publish(item: Mapping[str, Any], deps: Deps) -> None:
    """Publish one new event item of the table's stream."""
    event = {name: plain(item[name]) for name in PUBLISHED}
    deps.publisher.publish(event)
    if event["type"] in METERED_EVENTS:
        meter(deps.value("STACK"), event["type"], 1)
