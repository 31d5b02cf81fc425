"""Ports for the servers that tests start, whatever else runs on this machine."""

import itertools
import os
import socket

FIRST, COUNT = 10_000, 20_000
"""Below the ports that the system hands to outgoing connections, which would take one meanwhile."""

_ports = (FIRST + (os.getpid() * 37 + step) % COUNT for step in itertools.count())
"""Each worker of a parallel run begins somewhere else and gives out no port twice."""


def free_port() -> int:
    """A port that nobody listens on."""
    return next(port for port in _ports if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
