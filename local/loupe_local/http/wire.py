"""Requests and replies of the services that this package adds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Json = dict[str, Any]


class ServiceError(Exception):
    """What a caller gets: a code that its SDK turns into an exception, and why."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Request:
    """An HTTP request read whole."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """An HTTP reply."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Caller(Protocol):
    """Who makes a request."""

    account: str
    region: str

    def verify(self) -> "Reply | None":
        """The refusal of a request that no valid key has signed."""

    def require(self, service: str, action: str, resource: str) -> None:
        """Raises ServiceError unless the caller may do `action` on `resource`."""

    def send_event(self, event: Json) -> None:
        """Puts an event on the default bus of the caller's account and region."""


def json_reply(payload: Json, status: int = 200, content: str = "application/json") -> Reply:
    """A JSON document."""
    return Reply(status, json.dumps(payload).encode(), {"content-type": content})


def error_reply(error: ServiceError, content: str = "application/json") -> Reply:
    """An error as the SDKs of all JSON protocols read it."""
    body = {"__type": error.code, "message": error.message}
    headers = {"content-type": content, "x-amzn-errortype": error.code}
    return Reply(error.status, json.dumps(body).encode(), headers)


def json_body(request: Request, fault: str) -> Json:
    """The document in a request; anything else is the error named `fault`."""
    try:
        payload = json.loads(request.body or b"{}")
    except ValueError as error:
        raise ServiceError(fault, f"The request is not JSON: {error}") from error
    if not isinstance(payload, dict):
        raise ServiceError(fault, "The request is not a JSON object.")
    return payload
