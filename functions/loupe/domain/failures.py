"""Errors that a state machine caught: in words for people, and whether they can pass."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from loupe.errors import FinalError, NotPermitted, ServiceFailed

MOST_FAILURES = 8
"""Consecutive failures for a cause outside the data after which an attempt ends."""
FIRST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(hours=24)
LONGEST_CAUSE = 500

OUTSIDE = {NotPermitted.__name__, ServiceFailed.__name__}
"""Final errors of a step with a cause outside the data: the attempt can continue later."""

DATA_FAULT = re.compile(
    r"invalid rows|is empty|exceeds the maximum|too many (rows|lines|labels)|too few|insufficient"
    r"|multiple S3 buckets|more than one bucket|label overlap|label names|it needs \d+"
    r"|in both datasets",
    re.IGNORECASE,
)
"""Status messages of Rekognition Custom Labels that blame the manifests; every other message
(permission, fault of the service) has a cause outside the data. Source: "Debugging a failed model
training", AWS."""


@dataclass(frozen=True)
class Failure:
    """An error as Step Functions passes it to a catcher: its name, and its cause."""

    error: str
    cause: str

    @property
    def is_final(self) -> bool:
        """Whether the same attempt would fail again."""
        return self.error in final_errors() - OUTSIDE

    @property
    def words(self) -> str:
        """What went wrong, without the JSON that Lambda and nested executions wrap it in."""
        return f"{self.error}: {_innermost(self.cause)[:LONGEST_CAUSE]}"


def failure_from_json(caught: Mapping[str, Any] | None) -> Failure | None:
    """The `$states.errorOutput` of a state machine, if it caught an error."""
    return Failure(caught.get("Error", ""), caught.get("Cause", "")) if caught else None


def final_errors() -> set[str]:
    """Names of the errors that state machines do not try again."""
    return {kind.__name__ for kind in _subclasses(FinalError)}


def blames_data(message: str) -> bool:
    """Whether the service's reason for a failed training lies in the data."""
    return DATA_FAULT.search(message) is not None


def next_try(failures: int, now: datetime) -> datetime | None:
    """When an attempt that failed `failures` times in a row continues; None: never."""
    if failures >= MOST_FAILURES:
        return None
    pause: timedelta = FIRST_PAUSE * 2 ** (failures - 1)
    return now + min(pause, LONGEST_PAUSE)


def _subclasses(kind: type[Exception]) -> list[type[Exception]]:
    return [each for sub in kind.__subclasses__() for each in (sub, *_subclasses(sub))]


def _innermost(cause: str) -> str:
    """Lambda's cause is a JSON document with `errorMessage`, a nested execution's has `Cause`."""
    try:
        document = json.loads(cause)
    except ValueError:
        return cause
    if not isinstance(document, dict):
        return cause
    if "errorMessage" in document:
        return str(document["errorMessage"])
    return _innermost(document["Cause"]) if isinstance(document.get("Cause"), str) else cause
