"""Parameter Store: the operator's settings."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any

from loupe.domain.places import stamp
from loupe.settings import BY_NAME, CATALOGUE, Settings, setting

NAMES_PER_CALL = 10


@dataclass(frozen=True)
class Stored:
    """A parameter as it stands: it has version 1 until somebody changes it `at` some time."""

    value: str
    version: int
    at: str


class Parameters:
    """Settings under `/<stack>/`. `client` is `boto3.client("ssm")`."""

    def __init__(self, client: Any, stack: str) -> None:
        self._client = client
        self._prefix = f"/{stack}/"

    def values(self) -> dict[str, str]:
        """`{name: value}` of every setting that exists."""
        return {name: stored.value for name, stored in self.stored().items()}

    def stored(self) -> dict[str, Stored]:
        """`{name: parameter}` of every setting that exists."""
        names = [self._prefix + setting.name for setting in CATALOGUE]
        found: dict[str, Stored] = {}
        for start in range(0, len(names), NAMES_PER_CALL):
            page = self._client.get_parameters(Names=names[start : start + NAMES_PER_CALL])
            for parameter in page["Parameters"]:
                found[parameter["Name"].removeprefix(self._prefix)] = Stored(
                    value=parameter["Value"],
                    version=parameter["Version"],
                    at=stamp(parameter["LastModifiedDate"].astimezone(UTC)),
                )
        return found

    def settings(self) -> Settings:
        """The settings as they are now."""
        return Settings.from_parameters(self.values())

    def tighten(self) -> dict[str, int]:
        """Give parameters of an earlier release the pattern that holds now, with their value.

        Returns the new version of each that had another; one whose value does not fit is left.
        """
        patterns = self._patterns()
        return {
            name: self.set(name, found.value)
            for name, found in self.stored().items()
            if patterns.get(name) != setting(name).pattern
            and setting(name).effective(found.value) == found.value
        }

    def _patterns(self) -> dict[str, str]:
        """`{name: pattern}` of every setting that exists."""
        names = {"Key": "Name", "Option": "BeginsWith", "Values": [self._prefix]}
        pages = self._client.get_paginator("describe_parameters").paginate(ParameterFilters=[names])
        return {
            found["Name"].removeprefix(self._prefix): found.get("AllowedPattern", "")
            for page in pages
            for found in page["Parameters"]
            if found["Name"].removeprefix(self._prefix) in BY_NAME
        }

    def set(self, name: str, value: str) -> int:
        """Set one setting; returns its new version. Parameter Store enforces its pattern.

        The pattern is sent each time: a parameter that is overwritten without one has none.
        """
        changed = self._client.put_parameter(
            Name=self._prefix + name,
            Value=value,
            Type="String",
            AllowedPattern=setting(name).pattern,
            Description=setting(name).meaning,
            Overwrite=True,
        )
        return int(changed["Version"])
