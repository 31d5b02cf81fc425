"""Listings, page by page."""

import base64
import binascii
from collections.abc import Sequence

from loupe_local.http.wire import Json, ServiceError

PAGE = 10


def paged(member: str, records: Sequence[Json], request: Json) -> Json:
    """The page of `records` that a request asks for, and the token of the next one."""
    first = _position(request.get("NextToken"))
    last = first + request.get("MaxResults", PAGE)
    shown: Json = {member: list(records[first:last])}
    if last < len(records):
        shown["NextToken"] = base64.b64encode(str(last).encode()).decode()
    return shown


def _position(token: str | None) -> int:
    try:
        return int(base64.b64decode(token, validate=True)) if token else 0
    except (binascii.Error, ValueError) as error:
        raise ServiceError("ValidationException", "NextToken is not valid.") from error
