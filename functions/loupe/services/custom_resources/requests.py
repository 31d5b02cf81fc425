"""Answer every request of CloudFormation for a custom resource, whatever happens."""

from collections.abc import Callable
from typing import Any

from loupe.adapters.cloudformation import CustomResource, Request
from loupe.errors import LoupeError
from loupe.telemetry import logger
from loupe.wiring import Deps

FAILED_CREATE = "never-created"
"""Physical id after a failed creation; CloudFormation asks to delete it all the same."""
SPARE_SECONDS = 120
"""Time that an invocation reserves to hand the request on, or to send a failure."""
INVOCATIONS = 4
"""At 13 of 15 minutes each, they end within the hour that CloudFormation waits."""
INVOCATION = "LoupeInvocation"
"""Member of a request: the number of the invocation that works on it, from 1."""

Provide = Callable[[Request, Any, Deps], CustomResource]


class Unfinished(LoupeError):
    """A request needs more time than this invocation has; the message says what is in the way."""


def answer(request: Request, context: Any, provide: Provide, deps: Deps) -> None:
    """Run `provide(request, context, deps)`, and send its result.

    Any error is sent as the reason of a failure, because without an answer CloudFormation waits
    for an hour. When `provide` raises Unfinished, another invocation continues and answers; the
    last one answers with that error.
    """
    resource = CustomResource(request.get("PhysicalResourceId", FAILED_CREATE))
    try:
        if request["RequestType"] != "Delete" or resource.id != FAILED_CREATE:
            provided = _provided(request, context, provide, deps)
            if provided is None:
                return
            resource = provided
    except Exception as error:  # noqa: BLE001 - it is sent, and logged with its traceback
        logger.exception("the custom resource failed")
        deps.cloudformation.answer(request, "FAILED", resource, _reason(error))
    else:
        deps.cloudformation.answer(request, "SUCCESS", resource, "done")


def _provided(
    request: Request, context: Any, provide: Provide, deps: Deps
) -> CustomResource | None:
    """The resource, or None when another invocation continues."""
    try:
        return provide(request, context, deps)
    except Unfinished:
        number = request.get(INVOCATION, 1)
        if number == INVOCATIONS:
            raise
        next_request = {**request, INVOCATION: number + 1}
        deps.cloudformation.invoke(context.invoked_function_arn, next_request)
        return None


def is_late(context: Any) -> bool:
    """Whether this invocation has only its spare time left."""
    return bool(context.get_remaining_time_in_millis() < SPARE_SECONDS * 1000)


def _reason(error: Exception) -> str:
    """The message of Loupe's own errors; other errors are named by their class, too."""
    name = "" if isinstance(error, LoupeError) else f"{type(error).__name__}: "
    return f"{name}{error}"[:1000]
