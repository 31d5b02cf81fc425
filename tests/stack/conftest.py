"""The template, built and deployed by SAM; each file of tests works on a copy of its own.

A run deploys once, into a home whose stack is then stopped. A copy of that home is started on a
port of its own: it is what it would be after a deployment, in a tenth of the time.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest

from loupe.adapters.executions import Executions
from loupe.domain.detection import Detection
from loupe.domain.review import Review
from loupe.wiring import Deps
from loupe_local import stack as embedded
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "build" / "test-sam"
ORIGINAL = ROOT / "build" / "test-deployed"
CODE_BUCKET = "code-of-tests"
NAME = "loupe-test"
T = TypeVar("T")


@dataclass
class Stack:
    """A deployed stack and what tests do with it."""

    home: Path
    name: str = NAME

    @cached_property
    def endpoint(self) -> embedded.Endpoint:
        return embedded.start(self.home)

    def forget(self) -> None:
        """After a restart: look everything up anew."""
        for name in ("endpoint", "session", "outputs", "deps"):
            self.__dict__.pop(name, None)

    @cached_property
    def session(self) -> boto3.session.Session:
        return boto3.session.Session(
            aws_access_key_id=self.endpoint.credentials.key_id,
            aws_secret_access_key=self.endpoint.credentials.secret,
            region_name="us-east-1",
        )

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.endpoint.url)  # type: ignore[call-overload]

    @cached_property
    def outputs(self) -> dict[str, str]:
        (found,) = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}

    @cached_property
    def deps(self) -> Deps:
        os.environ["AWS_ENDPOINT_URL"] = self.endpoint.url
        values = {
            "LOUPE_STACK": self.name,
            "LOUPE_BUCKET": self.outputs["BucketName"],
            "LOUPE_TABLE": self.outputs["TableName"],
            "LOUPE_PROJECT": self.outputs["ProjectArn"],
            "LOUPE_A2I_FLOW": "",
            "LOUPE_DETECTION_QUEUE": self.outputs["DetectionQueueUrl"],
            "AWS_ENDPOINT_URL": self.endpoint.url,
        }
        return Deps(values, self.session)

    def put(self, key: str, body: bytes) -> None:
        self.client("s3").put_object(Bucket=self.outputs["BucketName"], Key=key, Body=body)

    def delete(self, key: str) -> None:
        self.client("s3").delete_object(Bucket=self.outputs["BucketName"], Key=key)

    def invoke(self, output: str, payload: dict[str, Any]) -> Any:
        """Invoke the function that the stack's output names."""
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs[output], Payload=json.dumps(payload)
        )
        body = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, body
        return body

    def set(self, **settings: str) -> None:
        """`set(Minimum_F1_Score="0")`: change settings as an operator would."""
        for name, value in settings.items():
            self.deps.parameters.set(name.replace("_", "-"), value)

    def start_training(self, **payload: Any) -> str:
        return self.executions.start(self.outputs["ImproveMachineArn"], payload)

    def train(self, **payload: Any) -> dict[str, Any]:
        """Run one training run to its end; returns its output, or error and cause."""
        return self.finished(self.start_training(**payload))

    @property
    def executions(self) -> Executions:
        return self.deps.executions

    def finished(self, execution: str) -> dict[str, Any]:
        client = self.client("stepfunctions")

        def ended() -> dict[str, Any] | None:
            found = client.describe_execution(executionArn=execution)
            if found["status"] == "RUNNING":
                return None
            output: dict[str, Any] = json.loads(found.get("output") or "{}")
            return output | {
                name: found[name] for name in ("status", "error", "cause") if name in found
            }

        return until(ended, seconds=180)

    def detections(self) -> list[Detection]:
        return list(self.deps.detections.newest())

    def settled(self, names: Sequence[str], states: Sequence[str] = ()) -> dict[str, Detection]:
        """Wait until every named image has been read (or is in one of `states`)."""

        def found() -> dict[str, Detection] | None:
            known = {d.image.name: d for d in reversed(self.detections()) if d.image.name in names}
            done = all(
                (d.state in states) if states else (d.state != "waiting") for d in known.values()
            )
            return known if done and len(known) == len(set(names)) else None

        return until(found, seconds=120)

    def open_reviews(self) -> list[Review]:
        return list(self.deps.reviews.newest("open"))

    def answer(self, review: str, label: str, worker: str = "ann") -> Any:
        return self.invoke(
            "AnswerReviewFunction", {"review": review, "worker": worker, "label": label}
        )

    def registered(self, count: int) -> None:
        """Wait until `count` labelled images have a record."""
        until(lambda: len(list(self.deps.dataset.labelled_images())) >= count or None, seconds=120)

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [e for e in self.deps.table.listing("EVENT") if e["type"] == kind]

    def models(self) -> dict[str, str]:
        """Status of every version, as the service says."""
        return {name: state.status for name, state in self.deps.rekognition.versions()}


def until(look: Callable[[], T | None], seconds: float) -> T:
    """Poll until `look` returns something that is not None; fails at the deadline."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
        time.sleep(0.3)
    return found


def loupe(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, on the test's stack."""
    environment = stack.endpoint.apply(os.environ) | {
        "LOUPE_STACK": stack.name,
        "LOUPE_HOME": str(stack.home),
    }
    command = [sys.executable, "-m", "loupe_cli.main", *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def sam(*arguments: str, environment: dict[str, str]) -> None:
    """Run SAM; its output is shown only when it fails."""
    command = [str(Path(sys.executable).parent / "sam"), *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def deploy(stack: Stack, *overrides: str) -> None:
    """Deploy with SAM. What the functions share is uploaded once, not packed for each of them."""
    environment = stack.endpoint.apply(os.environ) | {
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "1",
    }
    _upload_code(stack)
    sam(
        "deploy",
        "--template-file",
        str(BUILT / "packed.yaml"),
        "--stack-name",
        stack.name,
        "--resolve-s3",
        "--capabilities",
        "CAPABILITY_IAM",
        "CAPABILITY_AUTO_EXPAND",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--parameter-overrides",
        "PollSeconds=1",
        *overrides,
        environment=environment,
    )
    stack.forget()


def _upload_code(stack: Stack) -> None:
    s3 = stack.client("s3")
    s3.create_bucket(Bucket=CODE_BUCKET)
    for archive in BUILT.glob("*.zip"):
        s3.upload_file(str(archive), CODE_BUCKET, archive.name)


@pytest.fixture(scope="session")
def built() -> None:
    """What SAM makes of the sources now, deployed. The first worker of a run does it, the others
    wait."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    BUILT.parent.mkdir(exist_ok=True)
    with (BUILT.parent / "test-sam.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if lock.read() != run:
            build()
            deploy_original()
            lock.truncate(0)
            lock.write(run)


def build() -> None:
    """SAM gives every function a copy of the same code; `packed.yaml` names one archive of it."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "SAM_CLI_TELEMETRY": "0"}
    sam("build", "--cached", "--build-dir", str(BUILT), environment=environment)
    template = (BUILT / "template.yaml").read_text()
    shutil.make_archive(str(BUILT / "functions"), "zip", BUILT / "ServeConsole")
    shutil.make_archive(str(BUILT / "page"), "zip", BUILT / "ConsolePage")
    template = re.sub("CodeUri: .+", f"CodeUri: s3://{CODE_BUCKET}/functions.zip", template)
    template = re.sub("ContentUri: .+", f"ContentUri: s3://{CODE_BUCKET}/page.zip", template)
    (BUILT / "packed.yaml").write_text(template)


def deploy_original() -> None:
    """Deploy into the home that is copied, and stop what runs there."""
    for _ in deployed(ORIGINAL):
        pass


def deployed(home: Path) -> Iterator[Stack]:
    """A stack that SAM has just deployed into `home`."""
    shutil.rmtree(home, ignore_errors=True)
    stack = Stack(home)
    stack.__dict__["endpoint"] = embedded.start(home, free_port())
    try:
        deploy(stack)
        yield stack
    finally:
        embedded.stop(home)


def fresh(name: str) -> Iterator[Stack]:
    """A copy of what was deployed, in a home and on a port of its own."""
    stack = Stack(ROOT / "build" / f"test-{name}")
    port = free_port()
    copy_original(stack.home, port)
    stack.__dict__["endpoint"] = embedded.start(stack.home, port)
    try:
        yield stack
    finally:
        embedded.stop(stack.home)


def copy_original(home: Path, port: int) -> None:
    """Copy the home; what is deployed holds the address, which is another one in the copy."""
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(ORIGINAL, home, ignore=shutil.ignore_patterns("console-port", "tmp*"))
    address = f":{(home / 'port').read_text()}"
    for file in (home / "state").glob("*.json"):
        file.write_text(file.read_text().replace(address, f":{port}"))


def own_name(request: pytest.FixtureRequest) -> str:
    """The name of a test file, for a home that no other file has."""
    return str(request.module.__name__).rpartition(".")[2].removeprefix("test_")


@pytest.fixture(scope="module")
def stack(built: None, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A deployed stack of this test file's own."""
    yield from fresh(own_name(request))
