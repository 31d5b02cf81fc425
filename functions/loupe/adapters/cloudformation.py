"""CloudFormation: the state of a stack, and replies to requests for custom resources."""

import json
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from loupe.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient

TIMEOUT_SECONDS = 30
SEND_PAUSES = (1, 5, 20, 0)
"""Seconds after each failed attempt to send a reply."""
LEAVING = ("DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS")
"""States of a stack that is deleted as a whole; a stack whose update is rolled back stays."""

Request = Mapping[str, Any]


@dataclass(frozen=True)
class CustomResource:
    """A custom resource: its physical id, and the attributes that `Fn::GetAtt` reads."""

    id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


class CloudFormation:
    """`client` is boto3's of `cloudformation`, `functions` that of `lambda`."""

    def __init__(self, client: "CloudFormationClient", functions: "LambdaClient") -> None:
        self._client = client
        self._functions = functions

    def is_leaving(self, stack_id: str) -> bool:
        """Whether the stack is deleted as a whole."""
        (stack,) = self._client.describe_stacks(StackName=stack_id)["Stacks"]
        return stack["StackStatus"] in LEAVING

    def invoke(self, function_arn: str, request: Request) -> None:
        """Hand a request to another invocation of a function."""
        self._functions.invoke(
            FunctionName=function_arn, InvocationType="Event", Payload=json.dumps(request)
        )

    def answer(self, request: Request, status: str, resource: CustomResource, reason: str) -> None:
        """Tell CloudFormation how a request ended; `status` is "SUCCESS" or "FAILED"."""
        body = {
            "Status": status,
            "Reason": reason,
            "PhysicalResourceId": resource.id,
            "Data": resource.attributes,
            **{name: request[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
        }
        put = urllib.request.Request(
            request["ResponseURL"],
            data=json.dumps(body).encode(),
            method="PUT",
            headers={"Content-Type": ""},
        )
        for attempt, pause in enumerate(SEND_PAUSES, start=1):
            try:
                # The address is CloudFormation's own.
                with urllib.request.urlopen(put, timeout=TIMEOUT_SECONDS) as response:  # nosec B310
                    response.read()
                return
            except OSError:
                if attempt == len(SEND_PAUSES):
                    raise  # Lambda runs the whole request again, twice.
                logger.warning("CloudFormation could not be answered", exc_info=True)
                time.sleep(pause)
