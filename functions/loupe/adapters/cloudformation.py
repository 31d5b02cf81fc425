"""Custom resources: tell CloudFormation how a request ended."""

import json
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loupe.telemetry import logger

TIMEOUT_SECONDS = 30
FAILED_CREATE = "never-created"
"""Physical id after a failed creation; CloudFormation asks to delete it all the same."""


@dataclass(frozen=True)
class Resource:
    """A custom resource as it is now: its physical id, and what `Fn::GetAtt` reads of it."""

    id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


Provide = Callable[[Mapping[str, Any], Any], Resource]


def answer(event: Mapping[str, Any], context: Any, provide: Provide) -> None:
    """Run `provide(event, context)`, and send how it ended.

    Whatever goes wrong is sent as the reason of the failure: without an answer CloudFormation
    would wait for an hour.
    """
    resource = Resource(event.get("PhysicalResourceId", FAILED_CREATE))
    try:
        if event["RequestType"] != "Delete" or resource.id != FAILED_CREATE:
            resource = provide(event, context)
        _send(event, "SUCCESS", resource, "")
    except Exception as error:  # noqa: BLE001 - it is answered, and logged with its traceback
        logger.exception("the custom resource failed")
        _send(event, "FAILED", resource, f"{type(error).__name__}: {error}"[:1000])


def _send(event: Mapping[str, Any], status: str, resource: Resource, reason: str) -> None:
    body = {
        "Status": status,
        "Reason": reason or "done",
        "PhysicalResourceId": resource.id,
        "Data": resource.attributes,
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    request = urllib.request.Request(
        event["ResponseURL"],
        data=json.dumps(body).encode(),
        method="PUT",
        headers={"Content-Type": ""},
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        response.read()
