"""The Docker engine: whether one answers, and how its containers reach the embedded stack."""

import ipaddress
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

from loupe.errors import InvalidRequest
from loupe_local.environment import HOST

CHUNK = 65536


def require_engine() -> None:
    """Raise InvalidRequest unless a Docker engine answers."""
    docker = shutil.which("docker")
    if docker is None or _run(docker, "info").returncode:
        raise InvalidRequest(
            "'sam local invoke' runs functions in Docker, and no Docker engine answers here: start "
            "one, or use 'loupe up', which runs the same functions without it."
        )


def bridge_address() -> str | None:
    """This machine's address on Docker's bridge, or None where the engine runs in a machine of
    its own (Docker Desktop), whose containers reach our loopback as host.docker.internal."""
    inspected = _run("docker", "network", "inspect", "bridge")
    if inspected.returncode:
        return None
    return next(filter(_is_ours, gateways(json.loads(inspected.stdout))), None)


def gateways(networks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """IPv4 gateways in the output of `docker network inspect`.

    Docker names a gateway only if it was chosen; else the bridge has the subnet's first address.
    """
    for network in networks:
        for config in network["IPAM"]["Config"] or ():
            subnet = ipaddress.ip_network(config["Subnet"])
            if subnet.version == 4:
                yield config.get("Gateway") or str(next(subnet.hosts()))


@contextmanager
def forwarded(address: str, port: int) -> Iterator[int]:
    """A port of `address` that leads to `port` of 127.0.0.1, until the context is left.

    It has the same number unless that is taken, as by another call at the same time.
    """
    with _listen(address, port) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            serving.join()


class _Forwarder(ThreadingTCPServer):
    """Listens on one address; each connection is copied to and from `inside`."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], inside: tuple[str, int]) -> None:
        super().__init__(address, _Connection)
        self.inside = inside


class _Connection(BaseRequestHandler):
    server: _Forwarder

    def handle(self) -> None:
        """Copy both ways until both sides are done."""
        with socket.create_connection(self.server.inside) as inside:
            back = threading.Thread(target=_copy, args=(inside, self.request), daemon=True)
            back.start()
            _copy(self.request, inside)
            back.join()


def _listen(address: str, port: int) -> _Forwarder:
    try:
        return _Forwarder((address, port), (HOST, port))
    except OSError:
        return _Forwarder((address, 0), (HOST, port))


def _copy(source: socket.socket, sink: socket.socket) -> None:
    # A side that has gone ends the copy; the other learns it by its own end of the stream.
    with suppress(OSError):
        while data := source.recv(CHUNK):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _is_ours(address: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
