"""Taking a stack down leaves nothing, in whatever state it is."""

import json
from typing import Any

import pytest

from tests.stack.conftest import NAME, Stack, deploy, loupe, until
from tests.stack.pictures import digits, drawn

pytestmark = pytest.mark.stack


def left(stack: Stack) -> dict[str, Any]:
    """What the account still has under the stack's name."""
    found = {
        "buckets": [
            bucket["Name"]
            for bucket in stack.client("s3").list_buckets()["Buckets"]
            if bucket["Name"].startswith(NAME)
        ],
        "tables": stack.client("dynamodb").list_tables()["TableNames"],
        "projects": stack.client("rekognition").describe_projects()["ProjectDescriptions"],
        "parameters": stack.client("ssm").get_parameters_by_path(Path=f"/{NAME}/")["Parameters"],
        "schedules": stack.client("scheduler").list_schedules()["Schedules"],
        "queues": stack.client("sqs").list_queues().get("QueueUrls", []),
        "pools": stack.client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"],
        "alarms": stack.client("cloudwatch").describe_alarms()["MetricAlarms"],
        "dashboards": stack.client("cloudwatch").list_dashboards()["DashboardEntries"],
        "flows": stack.client("sagemaker").list_flow_definitions()["FlowDefinitionSummaries"],
        "pages": stack.client("sagemaker").list_human_task_uis()["HumanTaskUiSummaries"],
        "workforces": stack.client("sagemaker").list_workforces()["Workforces"],
        "functions": stack.client("lambda").list_functions()["Functions"],
        "topics": stack.client("sns").list_topics()["Topics"],
        "machines": stack.client("stepfunctions").list_state_machines()["stateMachines"],
        "logs": [
            group["logGroupName"]
            for group in stack.client("logs").describe_log_groups()["logGroups"]
            if NAME in group["logGroupName"]
        ],
    }
    return {kind: things for kind, things in found.items() if things}


def test_a_stack_at_work_is_taken_down_whole(stack: Stack) -> None:
    stack.set(Minimum_F1_Score="0", Labels="zero,one")
    for digit in (0, 1):
        for number, body in enumerate(digits()[digit][:6]):
            stack.put(f"images_labeled_by_folder/{digit}/{number}.png", body)
    stack.registered(12)
    stack.train()
    stack.put("images_for_detection/shape.png", drawn(1))
    until(lambda: stack.open_reviews() or None, seconds=60)
    stack.put("images_labeled_by_folder/1/more.png", digits()[1][30])
    stack.put("images_labeled_by_folder/1/more.png", digits()[1][31])
    stack.delete("images_labeled_by_folder/1/more.png")
    stack.set(Minimum_Untrained_Images="1")
    stack.start_training()

    shown = loupe(stack, "teardown", "--yes")

    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "an hour" in shown.stdout
    assert "a month to keep" in shown.stdout
    assert f"Nothing is left of '{NAME}'" in shown.stdout
    assert left(stack) == {}

    again = loupe(stack, "teardown", "--yes")

    assert again.returncode == 0
    assert "Nothing is left" in again.stdout


def test_a_stack_with_amazon_a2i_at_work_is_taken_down_and_the_workforce_only_by_name(
    stack: Stack,
) -> None:
    deploy(stack, "HumanReview=a2i", "FirstWorkerEmail=ann@example.com")
    assert stack.outputs["WorkerPortal"].startswith("https://")
    stack.set(Labels="zero,one")
    stack.put("images_for_detection/shape.png", drawn(1))
    until(lambda: any(r.loop for r in stack.open_reviews()) or None, seconds=60)

    shown = loupe(stack, "teardown", "--yes")

    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert f"--workforce {NAME}" in " ".join(shown.stdout.split())
    assert set(left(stack)) == {"pools", "workforces"}

    done = loupe(stack, "teardown", "--yes", "--workforce", NAME)

    assert done.returncode == 0, done.stdout + done.stderr
    assert left(stack) == {}


def test_a_stack_whose_creation_failed_half_way_is_taken_down(stack: Stack) -> None:
    """A workforce of somebody else is in the way of the one that the template makes."""
    sagemaker = stack.client("sagemaker")
    cognito = {"UserPool": "us-east-1_other", "ClientId": "other"}
    sagemaker.create_workforce(WorkforceName="other", CognitoConfig=cognito)
    try:
        with pytest.raises(AssertionError):
            deploy(stack, "HumanReview=a2i", "FirstWorkerEmail=ann@example.com")
        pages = stack.client("cloudformation").get_paginator("describe_stack_events")
        events = [event for page in pages.paginate(StackName=NAME) for event in page["StackEvents"]]
        reasons = [event.get("ResourceStatusReason", "") for event in events]
        assert any("can have only one" in reason for reason in reasons)

        done = loupe(stack, "teardown", "--yes")

        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        sagemaker.delete_workforce(WorkforceName="other")
    assert left(stack) == {}


def test_without_a_yes_nothing_is_deleted(stack: Stack) -> None:
    """The stack is gone by now: a bucket with its tag stands for what is left of one."""
    s3 = stack.client("s3")
    s3.create_bucket(Bucket=f"{NAME}-bucket-left")
    tag = {"Key": "loupe:stack", "Value": NAME}
    s3.put_bucket_tagging(Bucket=f"{NAME}-bucket-left", Tagging={"TagSet": [tag]})

    assert loupe(stack, "teardown").returncode != 0
    assert left(stack) == {"buckets": [f"{NAME}-bucket-left"]}

    done = loupe(stack, "teardown", "--yes", "--json")

    assert done.returncode == 0, done.stderr
    assert [thing["kind"] for thing in json.loads(done.stdout)["deleted"]] == ["bucket"]
    assert left(stack) == {}
