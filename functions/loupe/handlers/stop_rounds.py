"""Custom resource: ends training runs before CloudFormation deletes their state machines."""

from typing import Any

from loupe.services.custom_resources import training_runs
from loupe.services.custom_resources.requests import answer
from loupe.wiring import deps


def handler(event: dict[str, Any], context: Any) -> None:
    """A CloudFormation request; the answer goes to its ResponseURL, a failure as a failure."""
    answer(event, context, training_runs.provide, deps())
