"""Custom resource: the Amazon A2I task page and flow definitions (HumanReview = a2i)."""

from typing import Any

from loupe.services.custom_resources import flow
from loupe.services.custom_resources.requests import answer
from loupe.wiring import deps


def handler(event: dict[str, Any], context: Any) -> None:
    """A CloudFormation request; the answer goes to its ResponseURL, a failure as a failure."""
    answer(event, context, flow.provide, deps())
