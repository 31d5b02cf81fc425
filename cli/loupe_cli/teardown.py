"""teardown: take a stack apart so that nothing is left of it that bills."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError

from loupe.console.page import DOLLARS_PER_UNIT_HOUR
from loupe.errors import LoupeError
from loupe_cli.render import err, out, show_json, show_table
from loupe_cli.target import Target, home

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
POLL_SECONDS = 2
PATIENCE_SECONDS = 3600
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
}
"""How a thing is deleted that no stack owns any more: service, action, and its name's argument."""


class TeardownFailed(LoupeError):
    """Something could not be deleted; the message says what, and teardown can be run again."""


@dataclass(frozen=True)
class Thing:
    """One thing of a stack: what it is, its name, and what it costs or holds."""

    kind: str
    name: str
    note: str = ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(teardown)


def teardown(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete the stack with everything in it: images, labels, reviews, models."""
    target: Target = context.obj
    found = list(things(target))
    if not found and not status(target):
        out.print(f"Nothing is left of {target.name!r}.", markup=False)
        return
    if not as_json:
        show_table(["what", "name", ""], ((t.kind, t.name, t.note) for t in found), "")
    if not yes:
        typer.confirm(f"Delete all of this, and {target.name!r} itself?", abort=True)
    with err.status("Stopping what is at work…") as spinner:
        stop_rounds(target)
        spinner.update("Emptying the bucket…")
        empty_buckets(target)
        spinner.update("Deleting the stack (models are stopped first, which takes minutes)…")
        delete_stack(target)
        spinner.update("Deleting what no stack owns any more…")
        delete_strays(target)
    (home() / "deployed").unlink(missing_ok=True)
    left = list(things(target))
    if as_json:
        show_json({"deleted": [vars(t) for t in found], "left": [vars(t) for t in left]})
    else:
        show_table(
            ["left", "name", ""],
            ((t.kind, t.name, t.note) for t in left),
            f"Nothing is left of {target.name!r}.",
        )
    if left:
        raise TeardownFailed("Some of it is left: run 'loupe teardown' again.")


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


def things(target: Target) -> Iterator[Thing]:
    """What there is of the stack, found by name, so that a stack that is half gone counts too."""
    for look in LOOKS:
        yield from look(target)


def buckets(target: Target) -> Iterator[Thing]:
    """Its bucket, with the number of objects."""
    s3 = target.client("s3")
    for name in _bucket_names(target):
        count = sum(
            len(page.get("Versions", ())) + len(page.get("DeleteMarkers", ()))
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=name)
        )
        yield Thing("bucket", name, f"{count} objects, with their old versions")


def models(target: Target) -> Iterator[Thing]:
    """The project and its versions; those that run are billed by the hour."""
    client = target.client("rekognition")
    for project in client.describe_projects(ProjectNames=[target.name])["ProjectDescriptions"]:
        arn = project["ProjectArn"]
        pages = client.get_paginator("describe_project_versions").paginate(ProjectArn=arn)
        for page in pages:
            for version in page["ProjectVersionDescriptions"]:
                running = version["Status"] in ("RUNNING", "STARTING")
                dollars = DOLLARS_PER_UNIT_HOUR * version.get("MinInferenceUnits", 1)
                yield Thing(
                    "model version",
                    version["ProjectVersionArn"].split("/")[3],
                    f"runs: ${dollars:.2f} an hour" if running else version["Status"].lower(),
                )
        yield Thing("project", target.name)


def tables(target: Target) -> Iterator[Thing]:
    """Its table: records of images, reviews, labels, versions."""
    client = target.client("dynamodb")
    for page in client.get_paginator("list_tables").paginate():
        yield from _named(target, "table", page["TableNames"])


def parameters(target: Target) -> Iterator[Thing]:
    """Its settings."""
    pages = target.client("ssm").get_paginator("get_parameters_by_path")
    for page in pages.paginate(Path=f"/{target.name}/", Recursive=True):
        for found in page["Parameters"]:
            yield Thing("parameter", found["Name"])


def schedules(target: Target) -> Iterator[Thing]:
    """Its schedules."""
    pages = target.client("scheduler").get_paginator("list_schedules")
    for page in pages.paginate(NamePrefix=f"{target.name}-"):
        yield from _named(target, "schedule", [found["Name"] for found in page["Schedules"]])


def queues(target: Target) -> Iterator[Thing]:
    """Its queues."""
    pages = target.client("sqs").get_paginator("list_queues")
    for page in pages.paginate(QueueNamePrefix=f"{target.name}-"):
        for url in page.get("QueueUrls", ()):
            yield Thing("queue", url)


def user_pools(target: Target) -> Iterator[Thing]:
    """Who may sign in."""
    pages = target.client("cognito-idp").get_paginator("list_user_pools")
    for page in pages.paginate(MaxResults=60):
        for found in page["UserPools"]:
            if found["Name"] == target.name:
                yield Thing("user pool", found["Id"])


def log_groups(target: Target) -> Iterator[Thing]:
    """Its logs."""
    pages = target.client("logs").get_paginator("describe_log_groups")
    for prefix in (f"/loupe/{target.name}/", f"/aws/lambda/{target.name}-"):
        for page in pages.paginate(logGroupNamePrefix=prefix):
            for found in page["logGroups"]:
                yield Thing("log group", found["logGroupName"])


LOOKS: tuple[Callable[[Target], Iterator[Thing]], ...] = (
    models,
    buckets,
    tables,
    parameters,
    schedules,
    queues,
    user_pools,
    log_groups,
)


def stop_rounds(target: Target) -> None:
    """End rounds of improvement; nothing new is started once the schedules are gone."""
    scheduler = target.client("scheduler")
    for found in schedules(target):
        scheduler.delete_schedule(Name=found.name)
    machines = target.client("stepfunctions")
    for page in machines.get_paginator("list_state_machines").paginate():
        for machine in page["stateMachines"]:
            if machine["name"] == f"{target.name}-improve":
                _stop_executions(machines, machine["stateMachineArn"])


def _stop_executions(machines: Any, machine: str) -> None:
    pages = machines.get_paginator("list_executions")
    for page in pages.paginate(stateMachineArn=machine, statusFilter="RUNNING"):
        for execution in page["executions"]:
            machines.stop_execution(
                executionArn=execution["executionArn"], cause="Loupe is taken down"
            )


def empty_buckets(target: Target) -> None:
    """Delete every version of every object, and uploads that were never finished."""
    s3 = target.client("s3")
    for bucket in _bucket_names(target):
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
    """Delete what is found by name though the stack is gone: a replaced bucket, a late log."""
    empty_buckets(target)
    for found in list(things(target)):
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


def _bucket_names(target: Target) -> list[str]:
    found = target.client("s3").list_buckets()["Buckets"]
    start = f"{target.name}-bucket-"
    return [item["Name"] for item in found if item["Name"].lower().startswith(start)]


def _named(target: Target, kind: str, names: list[str]) -> Iterator[Thing]:
    return (Thing(kind, name) for name in names if name.startswith(f"{target.name}-"))
