"""The command: build what is out of date, make what the event names, run, and say how it ended."""

import fcntl
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError

from loupe.errors import InvalidRequest, LoupeError, NotFound
from loupe.faults import code_of
from loupe_cli.deployment import TEMPLATE, build, is_built
from loupe_cli.render import err, fail
from loupe_cli.target import EMBEDDED, ROOT, Target, home, reach_directly
from loupe_local import stack as embedded
from loupe_local.environment import REGION, adopt
from loupe_local.stack import Endpoint
from tools.invoke.cloudformation import answer_to, response_url
from tools.invoke.engine import bridge_address, forwarded, require_engine
from tools.invoke.outcome import FunctionFailed, failure, refusal
from tools.invoke.sample_data import SampleData
from tools.invoke.samples import fill, is_sample

GATEWAY = "host.docker.internal"
"""What containers call this machine; the embedded stack answers to the name."""
FOLDER = ROOT / "build" / "invoke"
app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class Prepared:
    """What a function is run with."""

    event: dict[str, Any]
    variables: dict[str, str]


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def invoke(
    context: typer.Context,
    function: Annotated[str, typer.Argument(help="Logical name, such as DetectLabels.")],
    event: Annotated[Path, typer.Argument(help="A file of events/, or one of your own.")],
) -> None:
    """Run FUNCTION on EVENT; further options are those of 'sam local invoke'.

    A file of events/ runs on sample data beside yours, any other file on the stack's own data.
    """
    if not event.is_file():
        raise InvalidRequest(f"There is no event file {event}: events/ has one for every function.")
    require_engine()
    endpoint = running_stack()
    if not is_built():
        with err.status("Building: sources have changed since the last build (about a minute)…"):
            build(endpoint.apply(os.environ), home())
    with _one_at_a_time(), _reachable(endpoint.port) as (port, options):
        address = f"http://{GATEWAY}:{port}"
        run(function, event, address, [*options, *context.args], endpoint)


def running_stack() -> Endpoint:
    """The embedded stack of this checkout, adopted by this process; raises NotFound."""
    endpoint = embedded.running(home())
    if endpoint is None:
        raise NotFound("The stack on this machine does not run: start it with 'make up'.")
    adopt(endpoint.environment)
    return endpoint


def run(
    function: str, event: Path, address: str, options: Sequence[str], endpoint: Endpoint
) -> None:
    """Run the function by SAM and print its answer.

    Raises FunctionFailed with its reason; ends the process as SAM does when SAM itself fails.
    """
    target = Target(EMBEDDED)
    with err.status("Making what the event names (the first time it trains a model)…"):
        prepared = prepare(function, event, target, address)
    command = sam_command(function, *write(function, event, prepared), options)
    err.print(shlex.join(command), soft_wrap=True, markup=False)
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=endpoint.apply(os.environ),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    print(done.stdout)
    if done.returncode:
        sys.exit(done.returncode)
    if reason := failure(done.stdout) or _refusal(event, prepared, target):
        raise FunctionFailed(f"{function} failed: {reason}")


def prepare(function: str, event: Path, target: Target, address: str) -> Prepared:
    """The event and the variables for a function that reaches the stack at `address`.

    The variables are the deployed function's; for a sample event they lead to the sample data,
    and the event gets what only S3 and CloudFormation can know.
    """
    variables = {**deployed_variables(function, target), "AWS_ENDPOINT_URL": address}
    if not is_sample(event):
        return Prepared(json.loads(event.read_text()), variables)
    data = SampleData(target)
    filled = fill(event.read_text(), data.bring_to(function))
    if "ResponseURL" in filled:
        filled["ResponseURL"] = response_url(filled, target, address)
    return Prepared(filled, variables | data.variables)


def deployed_variables(function: str, target: Target) -> dict[str, str]:
    """Of the deployed function; none for one that a condition of the template leaves out."""
    try:
        name = target.resource(function)
    except ClientError as error:
        if code_of(error) != "ValidationError":
            raise
        return {}
    configuration = target.client("lambda").get_function_configuration(FunctionName=name)
    return dict(configuration["Environment"]["Variables"])


def write(function: str, event: Path, prepared: Prepared) -> tuple[Path, Path]:
    """Write the event and the variables as SAM reads them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path, variables = FOLDER / event.name, FOLDER / f"{event.stem}.variables.json"
    path.write_text(json.dumps(prepared.event, indent=2, ensure_ascii=False) + "\n")
    variables.write_text(json.dumps({function: prepared.variables}, indent=2) + "\n")
    return path, variables


def sam_command(function: str, event: Path, variables: Path, options: Sequence[str]) -> list[str]:
    """The call of SAM; `options` are the caller's."""
    return [
        str(Path(sys.executable).parent / "sam"),
        *("local", "invoke", function, "--template-file", str(TEMPLATE)),
        *("--event", str(event), "--env-vars", str(variables), "--region", REGION),
        *options,
    ]


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Wait for another call to end: all of them use the same sample data."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _reachable(port: int) -> Iterator[tuple[int, Sequence[str]]]:
    """The port at which containers reach the stack on `port`, and SAM's options for it."""
    address = bridge_address()
    if address is None:
        yield port, []
        return
    with forwarded(address, port) as outside:
        yield outside, ["--add-host", f"{GATEWAY}:{address}"]


def _refusal(event: Path, prepared: Prepared, target: Target) -> str:
    """What a custom resource answered CloudFormation is printed; a failure is this one's, too."""
    if not is_sample(event) or "ResponseURL" not in prepared.event:
        return ""
    answer = answer_to(prepared.event, target)
    print(json.dumps(answer, indent=2))
    return refusal(answer)


if __name__ == "__main__":
    reach_directly()
    try:
        app()
    except (LoupeError, TimeoutError, embedded.StackError) as error:
        fail(str(error))
        sys.exit(1)
