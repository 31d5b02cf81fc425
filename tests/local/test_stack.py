"""Starting, finding and stopping the stack."""

import json
import os
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from loupe_local import stack
from loupe_local.environment import Home
from loupe_local.stack import Endpoint
from tests.ports import free_port

LISTENING = "0A"


def test_starting_twice_is_one_stack(home: Path) -> None:
    """Given a running stack, when it is started again, then it is the same one; stopped, it is
    gone and keeps its address."""
    first = stack.start(home, free_port())
    assert stack.start(home) == first == stack.running(home)
    with pytest.raises(stack.StackError, match="already runs on port"):
        stack.start(home, free_port())
    assert stack.stop(home)
    assert stack.running(home) is None
    assert not stack.stop(home)
    assert stack.start(home).port == first.port


def test_a_stale_note_of_another_process_is_not_believed(home: Path) -> None:
    """Given a note that names a process that is no server, then no stack runs, and stopping it
    harms nobody."""
    Home(home).server_file.write_text(json.dumps({"pid": os.getpid(), "port": 1}))
    assert stack.running(home) is None
    assert not stack.stop(home)


def test_a_taken_port_is_said_so(home: Path) -> None:
    """Given a port that something else uses, when the stack is started, then the error says so."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(stack.StackError, match="is taken"):
            stack.start(home, other.getsockname()[1])


def test_a_server_that_does_not_come_up_shows_its_log(home: Path) -> None:
    """Given a home that cannot be used, when the stack is started, then the error has the log."""
    (home / "rekognition.sqlite").write_text("this is no database, whatever its name says" * 99)
    with pytest.raises(stack.StackError, match="DatabaseError"):
        stack.start(home, free_port())


def test_only_loopback_is_listened_on(endpoint: Endpoint) -> None:
    """Given a running stack, then it listens on 127.0.0.1, on its one port, and nowhere else."""
    links = Path(f"/proc/{endpoint.pid}/fd").iterdir()
    sockets = {str(link.readlink()) for link in links if link.exists() or link.is_symlink()}
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for row in Path(f"/proc/{endpoint.pid}/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            bound = fields[3] == LISTENING or table.startswith("udp")
            if bound and f"socket:[{fields[9]}]" in sockets:
                found.append(fields[1])
    ports = {endpoint.port, endpoint.console_port}
    assert set(found) == {f"0100007F:{port:04X}" for port in ports}


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://example.com"}, {"Host": "rebound.example.com"}, {"Origin": "null"}],
)
def test_pages_from_elsewhere_are_refused(endpoint: Endpoint, headers: dict[str, str]) -> None:
    """Given a page from elsewhere in the operator's browser, when it calls the stack, then it is
    refused."""
    request = urllib.request.Request(f"{endpoint.url}/_loupe/health", headers=headers)
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request)
    with refusal.value as error:
        assert error.code == 403


def test_a_page_of_the_stack_itself_is_served(endpoint: Endpoint) -> None:
    """Given a page that the stack serves, when it calls the stack, then it is answered."""
    request = urllib.request.Request(
        f"{endpoint.url}/_loupe/health", headers={"Origin": endpoint.url}
    )
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["pid"] == endpoint.pid


def test_the_environment_reaches_no_real_account(endpoint: Endpoint) -> None:
    """Given a shell with a real account, when the stack's environment is applied, then nothing
    of that account is left."""
    applied = endpoint.apply(
        {
            "PATH": "/bin",
            "AWS_PROFILE": "real",
            "AWS_SESSION_TOKEN": "real",
            "AWS_ENDPOINT_URL_S3": "https://real",
        }
    )
    assert applied["PATH"] == "/bin"
    assert applied["AWS_ENDPOINT_URL"] == endpoint.url
    assert "real" not in " ".join(applied.values())
