"""Which stack a command works on: the embedded one of this checkout, or one in AWS."""

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from loupe.errors import NotFound
from loupe.faults import code_of
from loupe.wiring import Deps
from loupe_local import stack as embedded
from loupe_local.environment import HOST, adopt

ROOT = Path(__file__).parents[2]
EMBEDDED = "loupe-local"
PATIENCE = 330
"""Seconds to wait for a function: a little more than the slowest may take."""


def home() -> Path:
    """Where the embedded stack keeps its data."""
    return Path(os.environ.get("LOUPE_HOME") or ROOT / ".loupe").resolve()


def reach_directly() -> None:
    """Keep this process, and the stack and SAM that it starts, from asking a proxy for loopback."""
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [part for part in os.environ.get(name, "").split(",") if part]
        if HOST not in hosts and "*" not in hosts:
            os.environ[name] = ",".join([*hosts, HOST])


@dataclass
class Target:
    """A deployed stack: its outputs, and Loupe's adapters on it."""

    name: str

    @cached_property
    def endpoint(self) -> str:
        """The embedded stack's address, or "" for AWS."""
        if self.name != EMBEDDED or os.environ.get("AWS_ENDPOINT_URL"):
            return os.environ.get("AWS_ENDPOINT_URL", "")
        running = embedded.running(home())
        if running is None:
            raise NotFound("The stack on this machine does not run: start it with 'loupe up'.")
        adopt(running.environment)
        return running.url

    @cached_property
    def session(self) -> boto3.session.Session:
        """A session with the credentials that the target needs."""
        _ = self.endpoint
        # boto3 itself looks for AWS_DEFAULT_REGION alone.
        return boto3.session.Session(region_name=os.environ.get("AWS_REGION") or None)

    def client(self, service: str) -> Any:
        """A boto3 client."""
        config = Config(read_timeout=PATIENCE, max_pool_connections=16)
        return self.session.client(service, config=config)  # type: ignore[call-overload]

    def resource(self, logical_id: str) -> str:
        """The physical id of a resource of the template."""
        described = self.client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId=logical_id
        )
        return str(described["StackResourceDetail"]["PhysicalResourceId"])

    @property
    def is_deployed(self) -> bool:
        """Whether the stack exists and is whole."""
        return bool(self._find_outputs())

    @cached_property
    def outputs(self) -> dict[str, str]:
        """What the template says of the stack; raises NotFound when it is not deployed."""
        outputs = self._find_outputs()
        if not outputs:
            raise NotFound(
                f"There is no stack {self.name!r} here: choose one with --stack, or deploy it "
                "('loupe up' on this machine, 'make deploy' in AWS)."
            )
        return outputs

    def _find_outputs(self) -> dict[str, str]:
        try:
            stacks = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if code_of(error) != "ValidationError":
                raise
            return {}
        outputs = stacks[0].get("Outputs", ()) if stacks else ()
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    @cached_property
    def deps(self) -> Deps:
        """Loupe's adapters on this stack."""
        outputs = self.outputs
        return Deps(
            {
                "AWS_ENDPOINT_URL": self.endpoint,
                "LOUPE_STACK": self.name,
                "LOUPE_BUCKET": outputs["BucketName"],
                "LOUPE_TABLE": outputs["TableName"],
                "LOUPE_PROJECT": outputs["ProjectArn"],
                "LOUPE_A2I_FLOW": "",
                "LOUPE_DETECTION_QUEUE": outputs["DetectionQueueUrl"],
            },
            self.session,
        )

    def invoke(self, output: str, payload: dict[str, Any]) -> Any:
        """Run the function that an output names; raises RuntimeError with its own error."""
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs[output], Payload=json.dumps(payload)
        )
        body = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise RuntimeError(f"{body.get('errorType')}: {body.get('errorMessage')}")
        return body

    def improve(self, payload: dict[str, Any]) -> str:
        """Start a training run and return its execution."""
        return self.deps.executions.start(self.outputs["ImproveMachineArn"], payload)
