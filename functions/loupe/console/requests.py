"""Checks each request of the API once, before its route runs.

A route declares what it takes by its parameters: those of its path by name, the query string as
`query` and the JSON object that is sent as `body`. `schema` has the types to declare them with.
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, get_args, get_type_hints

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.exceptions import RequestEntityTooLargeError

from loupe.console.access import Role, check_role
from loupe.console.schema import kinds, read, sent_name
from loupe.errors import InvalidRequest

LARGEST_BODY = 2**20
"""In bytes. The largest request of the page, 100 files to upload, has less than a fifth of it."""
DECIMAL = r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?"

Answer = TypeVar("Answer")


class Api(Router):
    """Routes of the API: who may call one, and what it takes, is checked before it runs."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def offer(
        self, method: str, path: str, *roles: Role
    ) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
        """Make a function a route for people with one of `roles`; for everybody without roles."""

        def decorate(function: Callable[..., Answer]) -> Callable[..., Answer]:
            checked = self._checked(function, roles)
            self.route(path, method)(checked)
            return checked

        return decorate

    def _checked(
        self, function: Callable[..., Answer], roles: tuple[Role, ...]
    ) -> Callable[..., Answer]:
        """The function for people with one of `roles`, each parameter that it declares checked."""
        declared = get_type_hints(function, include_extras=True)

        @wraps(function)
        def call(**path: str) -> Answer:
            if roles:
                check_role(self, roles)
            event = self.current_event
            values = {n: get_args(declared[n])[1].check(n, value) for n, value in path.items()}
            if "query" in declared:
                values["query"] = _query(declared["query"], event.query_string_parameters)
            if "body" in declared:
                values["body"] = read(declared["body"], _json_object(_body_text(event)))
            return function(**values)

        return call


def _query(shape: type, sent: Mapping[str, str]) -> Any:
    """A query string has texts only; one without a value is as good as none."""
    values: dict[str, Any] = {name: value for name, value in sent.items() if value}
    for field in kinds(shape):
        name, of_number = sent_name(field), get_args(field.type)[0] in (int, float)
        if of_number and re.fullmatch(DECIMAL, values.get(name, "")):
            values[name] = json.loads(values[name])
    return read(shape, values)


def _body_text(event: Any) -> str:
    """The text that was sent; API Gateway hands over in Base64 what it takes for no text."""
    sent = event.body or ""
    if len(sent) > LARGEST_BODY:
        raise RequestEntityTooLargeError(
            f"The request's body has more than {LARGEST_BODY} bytes: send fewer items at a time."
        )
    if not event.is_base64_encoded:
        return str(sent)
    try:
        return b64decode(sent, validate=True).decode()
    except ValueError as error:
        raise InvalidRequest("The request's body is not text in UTF-8: send JSON.") from error


def _json_object(text: str) -> dict[str, Any]:
    try:
        sent = json.loads(text, parse_constant=_no_number, object_pairs_hook=_once_each)
    except RecursionError as error:
        raise InvalidRequest("The request's body is nested too deeply.") from error
    except ValueError as error:
        raise InvalidRequest(f"The request's body is not JSON: {error}.") from error
    if not isinstance(sent, dict):
        raise InvalidRequest("The request's body must be a JSON object.")
    return sent


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    sent = dict(pairs)
    if len(sent) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return sent
