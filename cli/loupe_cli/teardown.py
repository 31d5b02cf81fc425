"""Takes a stack apart so that nothing is left of it that bills."""

import time
from collections.abc import Callable

from botocore.exceptions import ClientError

from loupe.adapters.executions import Executions
from loupe.errors import LoupeError
from loupe.faults import code_of
from loupe_cli.inventory import bucket_names, models, resources, schedules
from loupe_cli.target import Target

POLL_SECONDS = 2
PATIENCE_SECONDS = 5400
"""CloudFormation's hour for the models, and some minutes for everything else."""
KEYS_PER_CALL = 1000
GONE = ("DELETE_COMPLETE", "")
REMOVERS = {
    "bucket": ("s3", "delete_bucket", "Bucket"),
    "table": ("dynamodb", "delete_table", "TableName"),
    "parameter": ("ssm", "delete_parameter", "Name"),
    "schedule": ("scheduler", "delete_schedule", "Name"),
    "queue": ("sqs", "delete_queue", "QueueUrl"),
    "user pool": ("cognito-idp", "delete_user_pool", "UserPoolId"),
    "log group": ("logs", "delete_log_group", "logGroupName"),
    "flow definition": ("sagemaker", "delete_flow_definition", "FlowDefinitionName"),
    "task page": ("sagemaker", "delete_human_task_ui", "HumanTaskUiName"),
}
"""How a resource without a stack is deleted: service, action, and its name's argument."""


class TeardownFailed(LoupeError):
    """Something could not be deleted; the message says what, and teardown can be run again."""


def stack_status(target: Target) -> str:
    """The stack's status, or "" when there is none of its name."""
    try:
        stacks = target.client("cloudformation").describe_stacks(StackName=target.name)["Stacks"]
    except ClientError as error:
        if code_of(error) != "ValidationError":
            raise
        return ""
    state = str(stacks[0]["StackStatus"]) if stacks else ""
    return "" if state in GONE else state


def delete_workforce(target: Target, name: str) -> None:
    """Delete the work teams of a workforce, the workforce, and the pool of its members."""
    sagemaker, cognito = target.client("sagemaker"), target.client("cognito-idp")
    workforce = sagemaker.describe_workforce(WorkforceName=name)["Workforce"]
    for page in sagemaker.get_paginator("list_workteams").paginate():
        for team in page["Workteams"]:
            sagemaker.delete_workteam(WorkteamName=team["WorkteamName"])
    sagemaker.delete_workforce(WorkforceName=name)
    pool = workforce["CognitoConfig"]["UserPool"]
    domain = cognito.describe_user_pool(UserPoolId=pool)["UserPool"].get("Domain")
    if domain:
        cognito.delete_user_pool_domain(Domain=domain, UserPoolId=pool)
    cognito.delete_user_pool(UserPoolId=pool)


def stop_training_runs(target: Target) -> None:
    """End training runs; nothing is started once schedules and state machine are gone."""
    scheduler = target.client("scheduler")
    for schedule in schedules(target):
        scheduler.delete_schedule(Name=schedule.name)
    client, deadline = target.client("stepfunctions"), time.monotonic() + PATIENCE_SECONDS
    for page in client.get_paginator("list_state_machines").paginate():
        for machine in page["stateMachines"]:
            if machine["name"] in (f"{target.name}-improve", f"{target.name}-set-model-state"):
                Executions(client).delete_machine(
                    machine["stateMachineArn"], lambda: time.monotonic() > deadline
                )


def wait_for_trainings(target: Target, say: Callable[[str], None]) -> None:
    """Wait until nothing trains: a training cannot be stopped, nor deleted while it runs."""
    while training := [t.name for t in models(target) if t.note == "training_in_progress"]:
        say(
            f"{', '.join(training)} still trains, which cannot be stopped and may take hours. "
            "Waiting; after Ctrl-C 'loupe teardown' goes on from here…"
        )
        time.sleep(POLL_SECONDS)


def empty_buckets(target: Target) -> None:
    """Delete every version of every object, and uploads that were never finished."""
    s3 = target.client("s3")
    for bucket in bucket_names(target):
        for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
            for upload in page.get("Uploads", ()):
                s3.abort_multipart_upload(
                    Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                )
        pages = s3.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=bucket, PaginationConfig={"PageSize": KEYS_PER_CALL}):
            versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            keys = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in versions]
            if keys:
                answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
                if errors := answer.get("Errors"):
                    raise TeardownFailed(f"{bucket}: {errors[0]['Key']}: {errors[0]['Message']}")


def delete_stack(target: Target) -> None:
    """Delete the stack and wait; what was written to the bucket meanwhile is deleted, too."""
    cloudformation = target.client("cloudformation")
    for attempt in (1, 2):
        if not stack_status(target):
            return
        cloudformation.delete_stack(StackName=target.name)
        if _wait_until_gone(target):
            return
        if attempt == 1:
            empty_buckets(target)
    reasons = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
        for event in cloudformation.describe_stack_events(StackName=target.name)["StackEvents"]
        if event["ResourceStatus"] == "DELETE_FAILED"
    ]
    raise TeardownFailed(f"{target.name} could not be deleted: {'; '.join(reasons[:3])}")


def delete_strays(target: Target) -> None:
    """Delete what there is of it though the stack is gone: a replaced bucket, a late log."""
    empty_buckets(target)
    for resource in resources(target):
        if resource.kind in REMOVERS:
            service, action, argument = REMOVERS[resource.kind]
            getattr(target.client(service), action)(**{argument: resource.name})


def _wait_until_gone(target: Target) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        state = stack_status(target)
        if not state:
            return True
        if state == "DELETE_FAILED":
            return False
        time.sleep(POLL_SECONDS)
    raise TeardownFailed(f"{target.name} is still being deleted; run 'loupe teardown' again.")
