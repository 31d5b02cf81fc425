"""kill -9 of the stack's server and of single functions; faults of the local Rekognition."""

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loupe_local import stack as embedded
from tests.stack.conftest import Stack, until

SERVER, FUNCTION = "server", "function"
FAULTS: tuple[dict[str, object], ...] = (
    {"DetectCustomLabels": {"every": 3, "error": "InternalServerError"}},
    {"DetectCustomLabels": {"per_second": 2}},
    {"StartProjectVersion": {"error": "LimitExceededException", "times": 2}},
    {"StopProjectVersion": {"error": "ThrottlingException", "times": 2}},
    {"DescribeProjectVersions": {"error": "ThrottlingException", "every": 3}},
    {"CreateProjectVersion": {"error": "InternalServerError", "times": 1}},
    {"*": {"every": 4, "error": "InternalServerError"}},
)


@dataclass(frozen=True)
class Worker:
    """A process that runs one function; `busy` as far as the kernel says."""

    pid: int
    function: str
    busy: bool


class Killer:
    """Ends processes of one stack, and starts its server again."""

    def __init__(self, stack: Stack, dice: random.Random) -> None:
        self.killed: Counter[str] = Counter()
        self.starts: list[float] = []
        """Seconds that each start after a kill took."""
        self._stack = stack
        self._dice = dice

    def kill(self, what: str) -> str:
        """End the server or a function's worker, one at work if there is one; says which."""
        ended = self._kill_server() if what == SERVER else self._kill_function()
        self.killed[what] += bool(ended)
        return ended

    def revive(self) -> None:
        """Start the server if it does not run."""
        if embedded.running(self._stack.home) is not None:
            return
        began = time.monotonic()
        self._stack.forget()
        assert self._stack.endpoint.url
        self.starts.append(time.monotonic() - began)

    def _kill_server(self) -> str:
        server = embedded.running(self._stack.home)
        if server is None:
            return ""
        os.kill(server.pid, signal.SIGKILL)
        until(lambda: embedded.running(self._stack.home) != server or None, seconds=20)
        return "the server"

    def _kill_function(self) -> str:
        server = embedded.running(self._stack.home)
        if server is None:
            return ""
        found = list(workers(server.pid))
        chosen = [worker for worker in found if worker.busy] or found
        if not chosen:
            return ""
        worker = self._dice.choice(sorted(chosen, key=lambda one: one.pid))
        try:
            os.kill(worker.pid, signal.SIGKILL)
        except ProcessLookupError:
            return ""
        self.killed["functions at work"] += worker.busy
        return f"{worker.function}{' at work' if worker.busy else ''}"

    def break_rekognition(self, faults: dict[str, object] | None) -> None:
        """Tell the local Rekognition what to get wrong; None: nothing."""
        file = self._stack.home / "faults.json"
        if faults is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(json.dumps(faults))


def workers(server: int) -> Iterator[Worker]:
    """The processes of functions that a server has started."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) != server:
                continue
            command = (folder / "cmdline").read_bytes().decode()
            environment = (folder / "environ").read_bytes().decode(errors="replace")
            waits = (folder / "syscall").read_text().split()[:2]
        except (OSError, ValueError):
            continue  # It has ended meanwhile.
        if "_worker.py" in command:
            variables = dict(v.partition("=")[::2] for v in environment.split("\0"))
            # An idle worker waits for its next event: it reads from file 0.
            busy = waits[1:] != ["0x0"]
            yield Worker(int(folder.name), variables["AWS_LAMBDA_FUNCTION_NAME"], busy)
