"""Taking a stack down leaves stacks whole whose names are almost the same."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from loupe_local import stack as embedded
from tests.ports import free_port
from tests.stack.conftest import ROOT, Stack, deploy, loupe
from tests.stack.pictures import digits, drawn

pytestmark = pytest.mark.stack

NAMES = ("x", "x-prod", "X")
STARTED = ("x-deadbeef", "x-bucket-1", "x-workers")
"""Names that begin as those of what a stack `x` makes."""


@dataclass
class Neighbours:
    """Three stacks of one account."""

    going: Stack
    staying: tuple[Stack, ...]

    def __iter__(self) -> Iterator[Stack]:
        return iter((self.going, *self.staying))


@pytest.fixture(scope="module")
def neighbours(built: None) -> Iterator[Neighbours]:
    home = ROOT / "build" / "test-neighbours"
    shutil.rmtree(home, ignore_errors=True)
    embedded.start(home, free_port())
    stacks = [Stack(home, name) for name in NAMES]
    try:
        for stack in stacks:
            deploy(stack)
        yield Neighbours(stacks[0], tuple(stacks[1:]))
    finally:
        embedded.stop(home)


def label(stack: Stack) -> None:
    """Upload enough labelled images to train on."""
    stack.set(Minimum_F1_Score="0", Labels="zero,one")
    for digit in (0, 1):
        for number, body in enumerate(digits()[digit][:5]):
            stack.put(f"images_labeled_by_folder/{digit}/{number}.png", body)
    stack.registered(10)


def read(stack: Stack, name: str) -> None:
    """Upload an image and wait until the model or a person is asked."""
    stack.put(f"images_for_detection/{name}", drawn(1))
    stack.settled([name])


def contents(stack: Stack) -> dict[str, Any]:
    """What an operator would miss, and everything that CloudFormation made."""
    resources = stack.client("cloudformation").get_paginator("list_stack_resources")
    bucket = stack.session.resource("s3", endpoint_url=stack.endpoint.url).Bucket(
        stack.outputs["BucketName"]
    )
    return {
        "resources": {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in resources.paginate(StackName=stack.name)
            for resource in page["StackResourceSummaries"]
        },
        "objects": sorted(version.id for version in bucket.object_versions.all()),
        "records": sorted(item.image.key for item in stack.detections()),
        "examples": sorted(example.key for example in stack.deps.dataset.labelled_images()),
        "reviews": sorted(review.id for review in stack.open_reviews()),
        "settings": stack.deps.parameters.values(),
        "models": stack.models(),
        "in service": stack.deps.versions.service().version,
    }


def account(stack: Stack) -> dict[str, set[str]]:
    """Names of what an account has, of the kinds that are told apart by name."""
    lists = {
        "stepfunctions": ("list_state_machines", "stateMachines", "name"),
        "scheduler": ("list_schedules", "Schedules", "Name"),
        "logs": ("describe_log_groups", "logGroups", "logGroupName"),
        "sqs": ("list_queues", "QueueUrls", ""),
        "dynamodb": ("list_tables", "TableNames", ""),
        "s3": ("list_buckets", "Buckets", "Name"),
        "lambda": ("list_functions", "Functions", "FunctionName"),
        "sagemaker": ("list_human_task_uis", "HumanTaskUiSummaries", "HumanTaskUiName"),
    }
    return {
        service: {
            item[name] if name else item
            for page in stack.client(service).get_paginator(operation).paginate()
            for item in page.get(member, ())
        }
        for service, (operation, member, name) in lists.items()
    }


def short(name: str) -> str:
    """A name without what stands before it in an ARN or address; names of logs are such paths."""
    return name if name.startswith("/") else re.split(r"[:/]", name)[-1]


def make_namesakes(stack: Stack) -> None:
    """Things of others whose names begin as those of the stack that goes."""
    for name in STARTED:
        stack.client("s3").create_bucket(Bucket=name)
        stack.client("sqs").create_queue(QueueName=name)
        stack.client("logs").create_log_group(logGroupName=f"/aws/lambda/{name}")
        stack.client("cognito-idp").create_user_pool(PoolName=name)
        stack.client("sagemaker").create_human_task_ui(
            HumanTaskUiName=f"{name}-12345678", UiTemplate={"Content": "<p>{{ task }}</p>"}
        )


def test_one_of_three_stacks_is_taken_down_and_the_others_are_whole(
    neighbours: Neighbours,
) -> None:
    for stack in neighbours:
        label(stack)
    rounds = [(stack, stack.start_training()) for stack in neighbours.staying]
    assert [stack.finished(found)["status"] for stack, found in rounds] == ["SUCCEEDED"] * 2
    for stack in neighbours:
        read(stack, "shape.png")
    make_namesakes(neighbours.going)
    before = [contents(stack) for stack in neighbours.staying]
    own = set(map(short, contents(neighbours.going)["resources"].values()))
    everything = account(neighbours.going)

    shown = loupe(neighbours.going, "teardown", "--yes")

    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "Nothing is left of 'x'" in shown.stdout
    left = account(neighbours.going)
    for service, names in everything.items():
        lost = set(map(short, names - left[service]))
        assert lost <= own, service
        assert bool(lost) == (service != "sagemaker")
    assert [contents(stack) for stack in neighbours.staying] == before
    for stack in neighbours.staying:
        read(stack, "another.png")
