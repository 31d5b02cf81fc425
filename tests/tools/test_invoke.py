"""`make invoke`: when it builds, what SAM gets, how containers reach the stack, what fails."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer
from threading import Thread
from typing import Any

import pytest

from loupe.errors import InvalidRequest
from loupe_cli import deployment
from loupe_local import credentials
from loupe_local.environment import Home
from loupe_local.stack import Endpoint
from tools.invoke import __main__ as command
from tools.invoke import engine, samples
from tools.invoke.outcome import FunctionFailed, failure, refusal

ADDRESS = "http://host.docker.internal:4599"

# When it builds


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of one function, in which `sam build` only writes the template."""
    for source in ("functions/code.py", "template.yaml"):
        write(tmp_path / source)
    monkeypatch.setattr(deployment, "ROOT", tmp_path)
    monkeypatch.setattr(deployment, "TEMPLATE", tmp_path / ".aws-sam" / "template.yaml")
    monkeypatch.setattr(deployment, "_sam", lambda *_: write(deployment.TEMPLATE))
    return tmp_path


def write(file: Path) -> None:
    """Write a file now: the file system's own clock has ticks, so the time is set."""
    file.parent.mkdir(exist_ok=True)
    file.touch()
    os.utime(file, ns=(time.time_ns(), time.time_ns()))


def test_a_fresh_checkout_is_not_built(checkout: Path) -> None:
    assert not deployment.is_built()


def test_what_is_built_is_not_built_again(checkout: Path) -> None:
    deployment.build({}, checkout)
    for left_out in ("functions/__pycache__/code.pyc", "console/node_modules/react.js"):
        (checkout / left_out).parent.mkdir(parents=True)
        write(checkout / left_out)

    assert deployment.is_built()


def test_a_build_by_sam_alone_counts(checkout: Path) -> None:
    write(deployment.TEMPLATE)

    assert deployment.is_built()


@pytest.mark.parametrize("change", ["functions/code.py", "functions/more.py", "template.yaml"])
def test_a_changed_or_new_source_is_built(checkout: Path, change: str) -> None:
    deployment.build({}, checkout)
    write(checkout / change)

    assert not deployment.is_built()


def test_a_source_that_changes_while_it_is_built_is_built_again(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object) -> None:
        write(checkout / "functions" / "code.py")
        write(deployment.TEMPLATE)

    monkeypatch.setattr(deployment, "_sam", slow)
    deployment.build({}, checkout)

    assert not deployment.is_built()


# How containers reach the stack


def network(**config: str) -> dict[str, Any]:
    return {"IPAM": {"Config": [config]}}


@pytest.mark.parametrize(
    ("networks", "expected"),
    [
        ([network(Subnet="172.17.0.0/16", Gateway="172.17.0.9")], ["172.17.0.9"]),
        ([network(Subnet="172.17.0.0/16")], ["172.17.0.1"]),
        ([network(Subnet="fd00::/64", Gateway="fd00::1")], []),
        ([{"IPAM": {"Config": None}}], []),
    ],
)
def test_the_bridge_has_its_gateway_or_the_first_address(
    networks: list[dict[str, Any]], expected: list[str]
) -> None:
    assert list(engine.gateways(networks)) == expected


def docker(folder: Path, monkeypatch: pytest.MonkeyPatch, *, output: str, code: int = 0) -> None:
    """A `docker` on the path that answers everything in one way."""
    program = folder / "docker"
    (folder / "output").write_text(output)
    program.write_text(f"#!/bin/sh\ncat '{folder / 'output'}'\nexit {code}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("gateway", "address"),
    [("127.0.0.1", "127.0.0.1"), ("203.0.113.1", None)],
    ids=["an address of this machine", "Docker Desktop: an address of its own machine"],
)
def test_only_a_bridge_of_this_machine_needs_a_forward(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gateway: str, address: str | None
) -> None:
    docker(
        tmp_path, monkeypatch, output=json.dumps([network(Subnet="10.0.0.0/8", Gateway=gateway)])
    )

    assert engine.bridge_address() == address


def test_an_engine_without_a_bridge_needs_no_forward(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(tmp_path, monkeypatch, output="[]", code=1)

    assert engine.bridge_address() is None


def test_without_an_engine_the_way_out_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(tmp_path, monkeypatch, output="", code=1)

    with pytest.raises(InvalidRequest, match="no Docker engine answers"):
        engine.require_engine()


class Echo(BaseRequestHandler):
    """Answers with what it gets, when that is all."""

    def handle(self) -> None:
        said = b""
        while data := self.request.recv(1024):
            said += data
        self.request.sendall(said)


@pytest.fixture
def inside() -> Iterator[int]:
    """A server on loopback, as the stack is one."""
    with TCPServer(("127.0.0.1", 0), Echo) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


def test_the_stack_is_forwarded_only_while_the_call_runs(inside: int) -> None:
    with engine.forwarded("127.0.0.1", inside) as outside:
        assert outside != inside, "the port is taken here, so another is chosen"
        with socket.create_connection(("127.0.0.1", outside), timeout=10) as client:
            client.sendall(b"x" * 200_000)
            client.shutdown(socket.SHUT_WR)
            answer = b""
            while data := client.recv(65536):
                answer += data
        assert answer == b"x" * 200_000

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", outside), timeout=10)


# What fails


@pytest.mark.parametrize(
    ("stdout", "reason"),
    [
        ('{"state": "closing"}', ""),
        ("null\n", ""),
        ('"text"', ""),
        ("[]", ""),
        ('{"batchItemFailures": []}', ""),
        ('{"batchItemFailures": [{"itemIdentifier": "m1"}]}', "m1"),
        ('{"errorType": "TryAgain", "errorMessage": "busy", "stackTrace": []}', "TryAgain: busy"),
        ("", "no answer"),
        ("\n", "no answer"),
        ("Segmentation fault", "Segmentation fault"),
    ],
)
def test_an_answer_says_whether_the_function_failed(stdout: str, reason: str) -> None:
    assert bool(failure(stdout)) == bool(reason)
    assert reason in failure(stdout)


def test_a_custom_resource_fails_by_what_it_tells_cloudformation() -> None:
    assert refusal({"Status": "SUCCESS", "Reason": "done"}) == ""
    assert refusal({"Status": "FAILED", "Reason": "TryAgain: in use"}) == "TryAgain: in use"


# What SAM gets


class Sam:
    """Stands for `sam`; keeps its call, and answers."""

    def __init__(self, stdout: str, code: int = 0) -> None:
        self.stdout, self.code = stdout, code

    def __call__(self, call: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.call, self.environment = call, options["env"]
        return subprocess.CompletedProcess(call, self.code, self.stdout)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An event of the user's own, for a function that is deployed."""
    monkeypatch.setattr(command, "FOLDER", tmp_path / "invoke")
    monkeypatch.setattr(command, "deployed_variables", lambda *_: {"LOUPE_TABLE": "mine"})
    event = tmp_path / "own.json"
    event.write_text('{"version": "v1"}')
    return event


def endpoint(home: Path) -> Endpoint:
    """A stack whose home has credentials."""
    credentials.make(Home(home).credentials)
    return Endpoint(port=4599, console_port=4600, pid=1, home=Home(home))


def called(own: Path, sam: Sam, monkeypatch: pytest.MonkeyPatch, *options: str) -> Sam:
    monkeypatch.setattr(subprocess, "run", sam)
    command.run("BuildDataset", own, ADDRESS, options, endpoint(own.parent))
    return sam


def test_sam_gets_the_stacks_credentials_and_not_the_shells(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.setenv(name, "of a real account")

    sam = called(own, Sam("{}"), monkeypatch)

    assert sam.environment["AWS_ACCESS_KEY_ID"] == endpoint(own.parent).credentials.key_id
    assert sam.environment["AWS_REGION"] == "us-east-1"
    assert sam.call[sam.call.index("--region") + 1] == "us-east-1"
    assert "of a real account" not in sam.environment.values()


def test_sam_runs_what_was_built_on_the_event_with_the_deployed_variables(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sam = called(own, Sam("{}"), monkeypatch)

    def file(option: str) -> Any:
        return json.loads(Path(sam.call[sam.call.index(option) + 1]).read_text())

    assert sam.call[0] == str(Path(sys.executable).parent / "sam")
    assert sam.call[sam.call.index("--template-file") + 1] == str(deployment.TEMPLATE)
    assert file("--event") == {"version": "v1"}
    assert file("--env-vars") == {
        "BuildDataset": {"LOUPE_TABLE": "mine", "AWS_ENDPOINT_URL": ADDRESS}
    }


def test_further_options_are_sams(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sam = called(own, Sam("{}"), monkeypatch, "--skip-pull-image", "--debug")

    assert sam.call[-2:] == ["--skip-pull-image", "--debug"]


def test_a_function_that_fails_is_an_error_although_sam_succeeds(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sam = Sam('{"errorType": "NotFound", "errorMessage": "no v1"}')

    with pytest.raises(FunctionFailed, match="BuildDataset failed: NotFound: no v1"):
        called(own, sam, monkeypatch)


def test_when_sam_fails_the_call_ends_like_it(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="3"):
        called(own, Sam("", code=3), monkeypatch)


# Sample events


def test_only_files_of_the_events_folder_are_samples(tmp_path: Path) -> None:
    copied = tmp_path / "detect_labels.json"

    assert samples.is_sample(samples.EVENTS / "detect_labels.json")
    assert not samples.is_sample(copied)


def test_a_sample_is_filled_and_what_was_edited_in_it_stays() -> None:
    text = '{"version": "S3s", "label": "mine"}'

    assert samples.fill(text, {"S3s": "new", "other": "x"}) == {"version": "new", "label": "mine"}
