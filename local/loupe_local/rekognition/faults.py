"""Faults on purpose: the local Rekognition and A2I throttle, fail, hang or are slow when told to.

The file `faults.json` in the stack's home says how, operation by operation (`*`: every one):

    {"DetectCustomLabels": {"per_second": 5, "every": 3, "error": "InternalServerError"}}

It counts from the next call on, and is gone when the file is. docs/embedded-stack.md has an example
of each fault.
"""

import json
import threading
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loupe_local.http.wire import ServiceError

EVERY_OPERATION = "*"
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Fault:
    """What goes wrong with an operation.

    `error` is the code that every `every`-th call ends with; `times` limits it to so many errors
    (0: no limit). More calls a second than `per_second` (0: no limit) are throttled. Each call
    takes `delay_seconds` longer; a `hang` answers only when the fault is taken away.
    """

    error: str = ""
    message: str = "A fault on purpose."
    every: int = 1
    times: int = 0
    per_second: int = 0
    delay_seconds: float = 0.0
    hang: bool = False


class Faults:
    """The faults that `file` tells of; none without it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._written: tuple[int, int] | None = None
        self._faults: dict[str, Fault] = {}
        self._calls: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._recent: defaultdict[str, deque[float]] = defaultdict(deque)
        self._closed = threading.Event()

    def close(self) -> None:
        """Let go of what hangs: the server ends."""
        self._closed.set()

    def strike(self, operation: str) -> None:
        """Let one call of `operation` fail as it is to; raises ServiceError, or returns late."""
        fault = self._fault(operation)
        if fault is None:
            return
        if fault.delay_seconds:
            self._closed.wait(fault.delay_seconds)
        while fault.hang and self._fault(operation) == fault and not self._closed.is_set():
            self._closed.wait(POLL_SECONDS)
        self._throttle(operation, fault)
        if self._fails_now(operation, fault):
            status = 500 if fault.error == "InternalServerError" else 400
            raise ServiceError(fault.error, fault.message, status)

    def _throttle(self, operation: str, fault: Fault) -> None:
        if not fault.per_second:
            return
        now = time.monotonic()
        with self._lock:
            recent = self._recent[operation]
            while recent and recent[0] <= now - 1:
                recent.popleft()
            if len(recent) >= fault.per_second:
                message = f"More than {fault.per_second} calls a second."
                raise ServiceError("ProvisionedThroughputExceededException", message)
            recent.append(now)

    def _fails_now(self, operation: str, fault: Fault) -> bool:
        if not fault.error:
            return False
        with self._lock:
            self._calls[operation] += 1
            spent = fault.times and self._errors[operation] >= fault.times
            if spent or self._calls[operation] % fault.every:
                return False
            self._errors[operation] += 1
            return True

    def _fault(self, operation: str) -> Fault | None:
        with self._lock:
            self._look()
            return self._faults.get(operation) or self._faults.get(EVERY_OPERATION)

    def _look(self) -> None:
        """Read the file if it was written since; counting begins anew with it."""
        try:
            about = self._file.stat()
            written = (about.st_mtime_ns, about.st_size)
        except FileNotFoundError:
            written = None
        if written == self._written:
            return
        self._written = written
        self._calls.clear()
        self._errors.clear()
        self._faults = parse(self._file.read_text()) if written else {}


def parse(text: str) -> dict[str, Fault]:
    """Faults by operation; raises ServiceError that says what is wrong with the text."""
    try:
        document: dict[str, dict[str, Any]] = json.loads(text)
        return {operation: Fault(**fault) for operation, fault in document.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ServiceError(
            "InvalidFaults",
            f"faults.json cannot be read ({error}); see docs/embedded-stack.md.",
            500,
        ) from error
