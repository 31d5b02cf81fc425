"""`make invoke`: run one function in Docker by `sam local invoke`, against the embedded stack."""

import json
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from loupe.errors import InvalidRequest, LoupeError
from loupe_cli.render import err
from loupe_cli.target import EMBEDDED, ROOT, Target
from loupe_local.environment import client_environment

GATEWAY = "host.docker.internal"


def invoke(
    function: Annotated[str, typer.Argument(help="Logical name, such as DetectLabels.")],
    event: Annotated[Path, typer.Argument(help="A file below events/.")],
    bridge: Annotated[
        str,
        typer.Option(
            help="Address of Docker's bridge, such as 172.17.0.1, where containers cannot reach "
            "this machine's loopback (Linux). The stack is forwarded there while the call runs."
        ),
    ] = "",
) -> None:
    """Run FUNCTION on EVENT with the running stack's resources."""
    if not event.is_file():
        raise InvalidRequest(f"There is no event file {event}: events/ has one for every function.")
    _check_docker()
    target = Target(EMBEDDED)
    port = int(target.endpoint.rpartition(":")[2])
    build = ROOT / "build" / "invoke"
    build.mkdir(parents=True, exist_ok=True)
    variables = build / "variables.json"
    variables.write_text(json.dumps({function: environment(target, function, port)}, indent=1))
    command = ["local", "invoke", function, "-e", str(event), "--env-vars", str(variables)]
    if bridge:
        _forward(bridge, port)
        command += ["--add-host", f"{GATEWAY}:{bridge}"]
    sam = Path(sys.executable).parent / "sam"
    sys.exit(subprocess.run([str(sam), *command], cwd=ROOT, check=False).returncode)


def environment(target: Target, function: str, port: int) -> dict[str, str]:
    """The deployed function's own variables, and how a container reaches the stack."""
    name = target.resource(function)
    configuration = target.client("lambda").get_function_configuration(FunctionName=name)
    variables: dict[str, str] = configuration["Environment"]["Variables"]
    return {
        **variables,
        **client_environment(port),
        "AWS_ENDPOINT_URL": f"http://{GATEWAY}:{port}",
    }


def _check_docker() -> None:
    docker = shutil.which("docker")
    answers = docker and subprocess.run([docker, "info"], capture_output=True, check=False)
    if not answers or answers.returncode:
        raise InvalidRequest(
            "'sam local invoke' runs functions in Docker, and no Docker engine answers here: start "
            "one, or use 'loupe up', which runs the same functions without it."
        )


def _forward(address: str, port: int) -> None:
    """Let containers reach the stack, which itself listens on loopback alone."""
    listener = socket.create_server((address, port))

    def accept() -> None:
        while True:
            outside, _ = listener.accept()
            inside = socket.create_connection(("127.0.0.1", port))
            for source, sink in ((outside, inside), (inside, outside)):
                threading.Thread(target=_copy, args=(source, sink), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    while data := source.recv(65536):
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    try:
        typer.run(invoke)
    except LoupeError as error:
        err.print(f"[red]Error:[/] {error}")
        sys.exit(1)
