"""Custom resources: tell CloudFormation how a request ended."""

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loupe.errors import LoupeError
from loupe.telemetry import logger

TIMEOUT_SECONDS = 30
SEND_PAUSES = (1, 5, 20, 0)
"""Seconds after each failed attempt to send an answer."""
FAILED_CREATE = "never-created"
"""Physical id after a failed creation; CloudFormation asks to delete it all the same."""
SPARE_SECONDS = 120
"""What an invocation keeps of its time to hand the request on, or to send a failure."""
INVOCATIONS = 4
"""With 13 of 15 minutes each they end before the hour that CloudFormation waits at most."""
INVOCATION = "LoupeInvocation"
"""Member of a request: the number of the invocation that works on it, from 1."""


class Unfinished(LoupeError):
    """A request needs more time than this invocation has; the message says what is in the way."""


@dataclass(frozen=True)
class Resource:
    """A custom resource as it is now: its physical id, and what `Fn::GetAtt` reads of it."""

    id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


Request = Mapping[str, Any]
Provide = Callable[[Request, Any], Resource]
HandOn = Callable[[Request], None]


def answer(event: Request, context: Any, provide: Provide, hand_on: HandOn | None = None) -> None:
    """Run `provide(event, context)`, and send how it ended.

    Whatever goes wrong is sent as the reason of the failure: without an answer CloudFormation
    would wait for an hour. When `provide` raises Unfinished, `hand_on(event)` lets another
    invocation go on, which answers instead; the last one answers with that as the failure.
    """
    resource = Resource(event.get("PhysicalResourceId", FAILED_CREATE))
    try:
        if event["RequestType"] != "Delete" or resource.id != FAILED_CREATE:
            provided = _provided(event, context, provide, hand_on)
            if provided is None:
                return
            resource = provided
    except Exception as error:  # noqa: BLE001 - it is answered, and logged with its traceback
        logger.exception("the custom resource failed")
        _send(event, "FAILED", resource, _reason(error))
    else:
        _send(event, "SUCCESS", resource, "done")


def is_late(context: Any) -> bool:
    """Whether this invocation has no time left but to say so."""
    return bool(context.get_remaining_time_in_millis() < SPARE_SECONDS * 1000)


def invoke_again(client: Any, context: Any, event: Request) -> None:
    """Hand a request on to the next invocation of this function. `client` is boto3's of Lambda."""
    client.invoke(
        FunctionName=context.invoked_function_arn,
        InvocationType="Event",
        Payload=json.dumps(event),
    )


def _provided(
    event: Request, context: Any, provide: Provide, hand_on: HandOn | None
) -> Resource | None:
    """The resource, or None when another invocation goes on."""
    try:
        return provide(event, context)
    except Unfinished:
        number = event.get(INVOCATION, 1)
        if hand_on is None or number == INVOCATIONS:
            raise
        hand_on({**event, INVOCATION: number + 1})
        return None


def _reason(error: Exception) -> str:
    """Loupe's own errors are sentences; of others the class says most."""
    name = "" if isinstance(error, LoupeError) else f"{type(error).__name__}: "
    return f"{name}{error}"[:1000]


def _send(event: Request, status: str, resource: Resource, reason: str) -> None:
    body = {
        "Status": status,
        "Reason": reason,
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
    for attempt, pause in enumerate(SEND_PAUSES, start=1):
        try:
            # The address is CloudFormation's own.
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # nosec B310
                response.read()
            return
        except OSError:
            if attempt == len(SEND_PAUSES):
                raise  # Lambda runs the whole request again, twice.
            logger.warning("CloudFormation could not be answered", exc_info=True)
            time.sleep(pause)
