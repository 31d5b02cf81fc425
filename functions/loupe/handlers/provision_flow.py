"""Custom resource: the Amazon A2I task page and flow definition (HumanReview = a2i)."""

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from loupe.adapters.cloudformation import answer
from loupe.wiring import deps

PAGE = Path(__file__).parent.parent / "pages" / "review.liquid.html"
POLL_SECONDS = 2
TASK_SECONDS = 3600
AVAILABLE_SECONDS = 864_000
"""Ten days, the longest that Amazon A2I keeps a task open."""


def handler(event: dict[str, Any], context: Any) -> None:
    """A CloudFormation request; the answer goes to its ResponseURL, a failure as a failure."""
    answer(event, context, provide)


def provide(event: Mapping[str, Any], context: Any) -> str:
    """Make or delete the page and the flow; the flow's ARN is the physical id.

    Neither can be changed in the service, so both are named by what they are made of: the same
    properties give the same flow, others a new one, and CloudFormation deletes the old one.
    """
    sagemaker = deps().client("sagemaker")
    if event["RequestType"] == "Delete":
        arn = str(event["PhysicalResourceId"])
        delete(sagemaker, arn.rpartition("/")[2])
        return arn
    properties = event["ResourceProperties"]
    name = flow_name(properties)
    arn = _create_flow(sagemaker, name, _create_page(sagemaker, name), properties)
    wait_until_active(sagemaker, name)
    return arn


def wait_until_active(sagemaker: Any, name: str) -> None:
    """Return when loops can be started; raises with the service's reason when they never can."""
    while (found := sagemaker.describe_flow_definition(FlowDefinitionName=name))[
        "FlowDefinitionStatus"
    ] == "Initializing":
        time.sleep(POLL_SECONDS)
    if found["FlowDefinitionStatus"] != "Active":
        raise RuntimeError(f"the flow definition {name} failed: {found.get('FailureReason', '')}")


def delete(sagemaker: Any, name: str) -> None:
    """Delete the flow and its page; what is gone already is fine."""
    for remove, argument in (
        (sagemaker.delete_flow_definition, "FlowDefinitionName"),
        (sagemaker.delete_human_task_ui, "HumanTaskUiName"),
    ):
        try:
            remove(**{argument: name})
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ResourceNotFound", "ValidationException"):
                raise


def flow_name(properties: Mapping[str, str]) -> str:
    """`<stack>-<hash of what the flow is made of>`."""
    made_of = json.dumps(
        {k: v for k, v in properties.items() if k != "ServiceToken"}, sort_keys=True
    )
    return f"{properties['Name']}-{_digest(made_of + PAGE.read_text())}"


def _create_page(sagemaker: Any, name: str) -> str:
    try:
        made = sagemaker.create_human_task_ui(
            HumanTaskUiName=name, UiTemplate={"Content": PAGE.read_text()}
        )
        return str(made["HumanTaskUiArn"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUse":
            raise
    return str(sagemaker.describe_human_task_ui(HumanTaskUiName=name)["HumanTaskUiArn"])


def _create_flow(sagemaker: Any, name: str, page_arn: str, properties: Mapping[str, str]) -> str:
    try:
        made = sagemaker.create_flow_definition(
            FlowDefinitionName=name,
            HumanLoopConfig={
                "WorkteamArn": properties["WorkteamArn"],
                "HumanTaskUiArn": page_arn,
                "TaskTitle": "What does this image show?",
                "TaskDescription": "Choose the one label that fits best.",
                "TaskCount": 1,
                "TaskTimeLimitInSeconds": TASK_SECONDS,
                "TaskAvailabilityLifetimeInSeconds": AVAILABLE_SECONDS,
            },
            OutputConfig={"S3OutputPath": properties["OutputPath"]},
            RoleArn=properties["RoleArn"],
        )
        return str(made["FlowDefinitionArn"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUse":
            raise
    return str(sagemaker.describe_flow_definition(FlowDefinitionName=name)["FlowDefinitionArn"])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
