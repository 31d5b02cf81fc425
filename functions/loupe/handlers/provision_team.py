"""Custom resource: a private workforce and its work team, for accounts that have none yet."""

from typing import Any

from loupe.services.custom_resources import team
from loupe.services.custom_resources.requests import answer
from loupe.wiring import deps


def handler(event: dict[str, Any], context: Any) -> None:
    """A CloudFormation request; the answer goes to its ResponseURL, a failure as a failure."""
    answer(event, context, team.provide, deps())
