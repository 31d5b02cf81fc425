"""What every operation of the service is given, and what many of them share."""

import base64
import binascii
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from loupe_local.database import Database, Row
from loupe_local.environment import ACCOUNT, REGION
from loupe_local.http.wire import Caller, Json, ServiceError
from loupe_local.rekognition.backend import Backend

Item = TypeVar("Item")

PAGE = 100


@dataclass(frozen=True)
class Call:
    """One request of one caller."""

    input: Json
    caller: Caller
    backend: Backend

    @property
    def database(self) -> Database:
        """Where everything is kept."""
        return self.backend.database

    @property
    def tags(self) -> dict[str, str]:
        """The tags that a new resource is to have."""
        return dict(self.input.get("Tags") or {})

    def row(self, table: str, arn: str) -> Row:
        """A project, dataset or version; ResourceNotFoundException if there is none."""
        row = self.database.row(f"SELECT * FROM {table} WHERE arn = ?", arn)
        if row is None:
            raise not_found(arn)
        return row

    def tag(self, arn: str, tags: dict[str, str]) -> None:
        """Sets tags of a resource."""
        for key, value in tags.items():
            self.database.run("INSERT OR REPLACE INTO tag VALUES (?, ?, ?)", arn, key, value)

    def page(self, items: Sequence[Item]) -> tuple[Sequence[Item], Json]:
        """The part of `items` that is asked for, and what the answer says of the rest."""
        start = _position(self.input.get("NextToken"))
        end = start + int(self.input.get("MaxResults") or PAGE)
        rest = {"NextToken": _token(end)} if end < len(items) else {}
        return items[start:end], rest


def _token(position: int) -> str:
    return base64.b64encode(f"loupe:{position}".encode()).decode()


def _position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        name, _, position = base64.b64decode(token, validate=True).decode().partition(":")
        if name == "loupe":
            return int(position)
    except (binascii.Error, ValueError):
        pass
    raise ServiceError("InvalidPaginationTokenException", "The pagination token is not valid.")


def arn(path: str) -> str:
    """The ARN of a new resource under `path`, which ends with the time of its creation."""
    return f"arn:aws:rekognition:{REGION}:{ACCOUNT}:project/{path}/{int(time.time() * 1000)}"


def not_found(resource: str) -> ServiceError:
    """The error for a resource that does not exist."""
    message = f"The resource that you specified was not found: {resource}"
    return ServiceError("ResourceNotFoundException", message)


def in_use(message: str) -> ServiceError:
    """The error for a resource whose state does not allow what is asked."""
    return ServiceError("ResourceInUseException", message)


def invalid(message: str) -> ServiceError:
    """The error for a request that contradicts itself or the service's limits."""
    return ServiceError("InvalidParameterException", message)
