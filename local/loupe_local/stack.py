"""Starts, finds and stops the embedded stack."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loupe_local import credentials
from loupe_local.environment import (
    DEFAULT_CONSOLE_PORT,
    DEFAULT_PORT,
    HOST,
    Home,
    client_environment,
    code_environment,
    url,
    without_other_accounts,
)

START_DEADLINE = 60.0
STOP_DEADLINE = 20.0
PORT_DEADLINE = 2.0
LOG_TAIL = 20
POLL = 0.05
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""A proxy that the environment names must not be asked for 127.0.0.1."""


class StackError(Exception):
    """The stack cannot be started or stopped; the message says why and what to do."""


@dataclass(frozen=True)
class Endpoint:
    """A running stack."""

    port: int
    console_port: int
    pid: int
    home: Home

    @property
    def url(self) -> str:
        """The one address for all services."""
        return url(self.port)

    @property
    def console_url(self) -> str:
        """Where the web console of what is deployed is."""
        return url(self.console_port)

    @property
    def credentials(self) -> credentials.Credentials:
        """The operator's; raises StackError if the home has none."""
        try:
            return credentials.read(self.home.credentials)
        except (OSError, ValueError) as error:
            raise StackError(
                f"The stack in {self.home.path} has no credentials that can be read ({error}). One "
                "of an older release gets them when it is stopped and started again."
            ) from error

    @property
    def environment(self) -> Mapping[str, str]:
        """What lets the AWS CLI, SAM and boto3 reach it as its operator; see `apply`."""
        return client_environment(self.port) | self.credentials.environment

    def apply(self, environment: Mapping[str, str]) -> dict[str, str]:
        """`environment` made to reach this stack and no real account."""
        return without_other_accounts(environment) | dict(self.environment)


def start(home: Path, port: int | None = None) -> Endpoint:
    """The stack in `home`, started unless it runs already.

    Without `port` the address is that of the last run, at first port 4566.

    Raises:
        StackError: the port is taken, or the server does not come up.
    """
    place = Home(home.resolve())
    endpoint = _alive(place)
    if endpoint is not None:
        if port is not None and port != endpoint.port:
            raise StackError(f"The stack in {place.path} already runs on port {endpoint.port}.")
        return endpoint
    place.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    chosen = port or _remembered(place.port_file) or DEFAULT_PORT
    _refuse_taken(chosen)
    remembered = _remembered(place.console_port_file)
    console_port = remembered or _free_console_port()
    _refuse_taken(console_port)
    try:
        endpoint = _launch(place, chosen, console_port)
    except StackError:
        if remembered or _is_free(console_port):
            raise
        # Another stack of this machine, started at the same moment, has got the usual port.
        endpoint = _launch(place, chosen, _any_free_port())
    place.port_file.write_text(str(chosen))
    place.console_port_file.write_text(str(endpoint.console_port))
    return endpoint


def _alive(place: Home) -> Endpoint | None:
    """The stack that runs and answers; one that was killed a moment ago may still be seen."""
    endpoint = running(place.path)
    if endpoint is None:
        return None
    _wait(lambda: _answers(endpoint.port, place) or running(place.path) is None, STOP_DEADLINE)
    return running(place.path)


def running(home: Path) -> Endpoint | None:
    """The stack that runs in `home`, if one does."""
    place = Home(home.resolve())
    try:
        noted = json.loads(place.server_file.read_text())
        pid, port, console = (int(noted[name]) for name in ("pid", "port", "console_port"))
    except (OSError, ValueError, KeyError):
        return None
    if not _is_server(pid, place):
        return None
    return Endpoint(port, console, pid, place)


def stop(home: Path) -> bool:
    """Stops the stack in `home`; False if none ran.

    Raises:
        StackError: it does not end.
    """
    place = Home(home.resolve())
    endpoint = running(home)
    if endpoint is None:
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        if _is_server(endpoint.pid, place):
            os.kill(endpoint.pid, number)
        if _wait(lambda: not _is_server(endpoint.pid, place), STOP_DEADLINE):
            return True
    raise StackError(f"The server, process {endpoint.pid}, does not end.")


def _launch(place: Home, port: int, console_port: int) -> Endpoint:
    command = [
        sys.executable,
        "-m",
        "loupe_local.server",
        "--detach",
        "--home",
        str(place.path),
        "--port",
        str(port),
        "--console-port",
        str(console_port),
    ]
    with place.log.open("ab") as log:
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=place.path,
            env=code_environment(),
            check=False,
        )
    _wait(lambda: running(place.path) is None or _answers(port, place), START_DEADLINE)
    endpoint = running(place.path)
    if endpoint is not None and _answers(port, place):
        return endpoint
    if endpoint is not None:
        os.kill(endpoint.pid, signal.SIGKILL)
    lines = place.log.read_text(errors="replace").splitlines()[-LOG_TAIL:]
    tail = "\n".join(lines)
    raise StackError(f"The stack did not start. The end of {place.log}:\n{tail}")


def _remembered(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def _free_console_port() -> int:
    """The usual one, or where another stack of this machine has that, any that is free."""
    return DEFAULT_CONSOLE_PORT if _is_free(DEFAULT_CONSOLE_PORT) else _any_free_port()


def _any_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _refuse_taken(port: int) -> None:
    # A server that was just killed may hold the port for a moment longer.
    if not _wait(lambda: _is_free(port), PORT_DEADLINE):
        raise StackError(
            f"Port {port} of {HOST} is taken. Stop what uses it, or choose another port; what was "
            "deployed on the old one may hold its address."
        )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _is_server(pid: int, place: Home) -> bool:
    """Whether a process is the server of this home and no other that got its number."""
    words = _command(pid)
    return "loupe_local.server" in words and str(place.path) in words


def _command(pid: int) -> list[str]:
    try:
        if Path("/proc/self/cmdline").exists():
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []
    shown = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.split()


def _answers(port: int, place: Home) -> bool:
    try:
        with DIRECT.open(f"{url(port)}/_loupe/health", timeout=2) as reply:
            health: Any = json.load(reply)
    except (urllib.error.URLError, OSError, ValueError):
        return False
    return bool(health.get("home") == str(place.path))


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(POLL)
    return False
