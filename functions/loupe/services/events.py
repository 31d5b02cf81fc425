"""Domain events, for everyone who wants them."""

from collections.abc import Mapping
from typing import Any

from loupe.adapters.items import plain
from loupe.telemetry import METERED_EVENTS, meter
from loupe.wiring import Deps

PUBLISHED = ("id", "type", "at", "subject", "text", "detail")


def publish(image: Mapping[str, Any], deps: Deps) -> None:
    """Publish one new event item, as the table's stream shows it."""
    event = {name: plain(image[name]) for name in PUBLISHED}
    deps.publisher.publish(event)
    if event["type"] in METERED_EVENTS:
        meter(deps.value("STACK"), event["type"], 1)
