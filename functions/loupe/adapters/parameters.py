"""Parameter Store: the operator's settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from loupe.domain.keys import timestamp
from loupe.domain.settings import BY_NAME, CATALOGUE, END, Settings, setting
from loupe.errors import AlreadyDone, InvalidSetting, NotFound
from loupe.faults import code_of

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

NAMES_PER_CALL = 10
REFUSED = ("ParameterPatternMismatchException", "ValidationException")
"""It has rules beside the pattern: a value, for example, names no other parameter in {{ }}."""


@dataclass(frozen=True)
class Stored:
    """A parameter's value, version and time of its last change; version 1 is the template's."""

    value: str
    version: int
    at: str


class Parameters:
    """Settings under `/<stack>/`. `client` is `boto3.client("ssm")`."""

    def __init__(self, client: "SSMClient", stack: str) -> None:
        self._client = client
        self._prefix = f"/{stack}/"

    def values(self) -> dict[str, str]:
        """`{name: value}` of every setting that exists."""
        return {name: stored.value for name, stored in self.stored().items()}

    def stored(self) -> dict[str, Stored]:
        """`{name: parameter}` of every setting that exists."""
        names = [self._prefix + setting.name for setting in CATALOGUE]
        return {
            parameter["Name"].removeprefix(self._prefix): _stored(parameter)
            for start in range(0, len(names), NAMES_PER_CALL)
            for parameter in self._client.get_parameters(
                Names=names[start : start + NAMES_PER_CALL]
            )["Parameters"]
        }

    def settings(self) -> Settings:
        """The settings as they are now."""
        return Settings.from_parameters(self.values())

    def loose(self) -> list[str]:
        """Names of parameters of an earlier release whose pattern allows more than today's.

        A pattern that differs only by `$`, which allows a line break at the end, is not worth a new
        version of the parameter; a value that does not fit today's pattern keeps its old one.
        """
        patterns = self._patterns()
        return [
            name
            for name, value in self.values().items()
            if patterns.get(name, "").replace("$", END) != setting(name).pattern
            and _fits(name, value)
        ]

    def tighten(self, name: str) -> tuple[Stored, int]:
        """Give one parameter today's pattern; returns its former state and its new version.

        Parameter Store has no conditional write, but it counts versions: a version between the one
        that was read and the one that was written is somebody's change, whose value is put back. A
        value that does not fit the pattern stays as it is.
        """
        before = self._read(name)
        if not _fits(name, before.value):
            return before, before.version
        last, version = before.version, self.set(name, before.value)
        while version != last + 1:
            before, last = self._read(f"{name}:{version - 1}"), version
            pattern = setting(name).pattern if _fits(name, before.value) else ""
            version = self._put(name, before.value, pattern)
        return before, version

    def _patterns(self) -> dict[str, str]:
        """`{name: pattern}` of every setting that exists."""
        pages = self._client.get_paginator("describe_parameters").paginate(
            ParameterFilters=[{"Key": "Name", "Option": "BeginsWith", "Values": [self._prefix]}]
        )
        return {
            name: parameter.get("AllowedPattern", "")
            for page in pages
            for parameter in page["Parameters"]
            if (name := parameter["Name"].removeprefix(self._prefix)) in BY_NAME
        }

    def _read(self, selector: str) -> Stored:
        """One parameter, by its name, or one version of it, by `<name>:<version>`."""
        name = self._prefix + selector
        parameters = self._client.get_parameters(Names=[name])["Parameters"]
        if not parameters:
            raise NotFound(f"There is no parameter {name}: deploy the stack again.")
        return _stored(parameters[0])

    def set(self, name: str, value: str) -> int:
        """Set one setting; returns its new version. Parameter Store enforces its pattern.

        The pattern is sent each time: a parameter that is overwritten without one has none.
        """
        return self._put(name, value, setting(name).pattern)

    def _put(self, name: str, value: str, pattern: str) -> int:
        try:
            response = self._client.put_parameter(
                Name=self._prefix + name,
                Value=value,
                Type="String",
                AllowedPattern=pattern,
                Description=setting(name).meaning,
                Overwrite=True,
            )
        except ClientError as error:
            raise _translated(error, name) from error
        return response["Version"]


def _fits(name: str, value: str) -> bool:
    """Whether a value is allowed as it stands."""
    return setting(name).effective(value) == value


def _translated(error: ClientError, name: str) -> Exception:
    code = code_of(error)
    if code == "TooManyUpdates":
        return AlreadyDone(
            f"{name} is being changed by somebody else: check its value, then try again."
        )
    if code in REFUSED:
        return InvalidSetting(f"Parameter Store does not take this for {name}: {error}")
    return error


def _stored(parameter: Mapping[str, Any]) -> Stored:
    return Stored(
        value=parameter["Value"],
        version=parameter["Version"],
        at=timestamp(parameter["LastModifiedDate"].astimezone(UTC)),
    )
