"""Custom resource: the Rekognition project, created and deleted with the stack."""

from typing import Any

from loupe.services.custom_resources import project
from loupe.services.custom_resources.requests import answer
from loupe.wiring import deps


def handler(event: dict[str, Any], context: Any) -> None:
    """A CloudFormation request; the answer goes to its ResponseURL, a failure as a failure."""
    answer(event, context, project.provide, deps())
