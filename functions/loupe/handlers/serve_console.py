"""The web console: its page and its API, behind an HTTP API that checks tokens."""

from typing import Any

from loupe.console.app import respond


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A request of the HTTP API (payload format 2.0) -> its response."""
    return respond(event, context)
