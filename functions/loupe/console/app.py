"""The console's routes, and what its errors become."""

import json
from dataclasses import asdict
from functools import partial
from reprlib import repr as shortened
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe import errors
from loupe.console import (
    activity,
    conflicts,
    dataset,
    detect,
    labels,
    models,
    overview,
    page,
    reports,
    reviewers,
    reviews,
)
from loupe.console import settings as settings_page
from loupe.faults import SERVICE_ERRORS, is_passing
from loupe.telemetry import logger

PAGES: tuple[Router, ...] = tuple(
    each.router
    for each in (
        overview,
        detect,
        reviews,
        reviewers,
        dataset,
        labels,
        models,
        settings_page,
        activity,
        conflicts,
    )
)
STATUS: dict[type[errors.LoupeError], int] = {
    errors.InvalidRequest: 400,
    errors.InvalidSetting: 400,
    errors.NotFound: 404,
    errors.AlreadyDone: 409,
    errors.NotPermitted: 502,
    errors.ServiceRefused: 502,
    errors.TryAgain: 503,
}

SAFE_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
"""No answer is taken for a page, nor kept, unless the route says otherwise."""

app = APIGatewayHttpResolver(serializer=partial(json.dumps, separators=(",", ":"), default=asdict))
app.include_router(page.router)
app.include_router(reports.router)
for router in PAGES:
    app.include_router(router, prefix="/api")


@app.not_found
def no_route(_: Exception) -> Response[Any]:
    """Nothing is offered there."""
    event = app.current_event
    message = f"There is no {event.http_method} {shortened(event.path)}."
    return Response(404, content_types.APPLICATION_JSON, {"message": message})


@app.exception_handler(list(STATUS))
def refuse(error: errors.LoupeError) -> Response[Any]:
    """What cannot be done is said in words."""
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    return Response(status, content_types.APPLICATION_JSON, {"message": str(error)})


@app.exception_handler(list(SERVICE_ERRORS))
def give_up(error: Exception) -> Response[Any]:
    """A service that does not answer now is named before the time of the request is over."""
    if not is_passing(error):
        raise error
    logger.warning("a service did not answer", exc_info=error)
    message = f"A service did not answer; try again in a minute. ({error})"
    return Response(STATUS[errors.TryAgain], content_types.APPLICATION_JSON, {"message": message})


def respond(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A request of the HTTP API (payload format 2.0) -> its response."""
    logger.debug("request", extra={"path": event.get("rawPath")})
    answer: dict[str, Any] = app.resolve(event, context)
    return answer | {"headers": SAFE_HEADERS | answer["headers"]}
