"""teardown: take a stack apart so that nothing is left of it that bills."""

import time
from collections.abc import Callable
from typing import Annotated

import typer
from botocore.exceptions import ClientError

from loupe.adapters.executions import Executions
from loupe.errors import LoupeError
from loupe_cli.inventory import (
    Thing,
    bucket_names,
    find_workforce,
    models,
    own_workforces,
    schedules,
    things,
)
from loupe_cli.render import err, out, show_json, show_table
from loupe_cli.target import Target, home

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
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
"""How a thing is deleted that no stack owns any more: service, action, and its name's argument."""


class TeardownFailed(LoupeError):
    """Something could not be deleted; the message says what, and teardown can be run again."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(teardown)


def teardown(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    workforce: Annotated[
        str, typer.Option(help="Delete this private workforce of Amazon A2I, too.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Delete the stack with everything in it: images, labels, reviews, models."""
    target: Target = context.obj
    team = find_workforce(target, workforce)
    found = [*things(target), *team]
    if not found and not status(target):
        _say_what_is_left(target, [], [], as_json)
        return
    if not as_json:
        show_table(["what", "name", ""], ((t.kind, t.name, t.note) for t in found), "")
        dollars = sum(thing.dollars for thing in found)
        out.print(f"As it is now, it costs about ${dollars:,.2f} a month to keep.")
    if not yes:
        typer.confirm(f"Delete all of this, and {target.name!r} itself?", abort=True)
    with err.status("Stopping what is at work…") as spinner:
        stop_rounds(target)
        wait_for_trainings(target, spinner.update)
        spinner.update("Emptying the bucket…")
        empty_buckets(target)
        spinner.update("Deleting the stack (models are stopped first, which takes minutes)…")
        delete_stack(target)
        spinner.update("Deleting what no stack owns any more…")
        delete_strays(target)
        if team:
            delete_workforce(target, workforce)
    (home() / "deployed").unlink(missing_ok=True)
    left = things(target)
    _say_what_is_left(target, found, left, as_json)
    if left:
        raise TeardownFailed("Some of it is left: run 'loupe teardown' again.")


def _say_what_is_left(target: Target, found: list[Thing], left: list[Thing], as_json: bool) -> None:
    if as_json:
        show_json({"deleted": [vars(t) for t in found], "left": [vars(t) for t in left]})
        return
    show_table(
        ["left", "name", ""],
        ((t.kind, t.name, t.note) for t in left),
        f"Nothing is left of {target.name!r}.",
    )
    for kept in own_workforces(target):
        out.print(
            f"The private workforce {kept!r} is kept, with the pool of its members, who may have "
            f"other work. It costs nothing; 'loupe teardown --workforce {kept}' deletes it.",
            markup=False,
        )


def status(target: Target) -> str:
    """The stack's status, or "" when there is none of its name."""
    try:
        found = target.client("cloudformation").describe_stacks(StackName=target.name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return ""
    state = str(found[0]["StackStatus"]) if found else ""
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


def stop_rounds(target: Target) -> None:
    """End rounds of improvement; nothing is started once schedules and state machine are gone."""
    scheduler = target.client("scheduler")
    for found in schedules(target):
        scheduler.delete_schedule(Name=found.name)
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
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            keys = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
            if keys:
                answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
                if errors := answer.get("Errors"):
                    raise TeardownFailed(f"{bucket}: {errors[0]['Key']}: {errors[0]['Message']}")


def delete_stack(target: Target) -> None:
    """Delete the stack and wait; what was written to the bucket meanwhile is deleted, too."""
    cloudformation = target.client("cloudformation")
    for attempt in (1, 2):
        if not status(target):
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
    for found in things(target):
        if found.kind in REMOVERS:
            service, action, argument = REMOVERS[found.kind]
            getattr(target.client(service), action)(**{argument: found.name})


def _wait_until_gone(target: Target) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        state = status(target)
        if not state:
            return True
        if state == "DELETE_FAILED":
            return False
        time.sleep(POLL_SECONDS)
    raise TeardownFailed(f"{target.name} is still being deleted; run 'loupe teardown' again.")
