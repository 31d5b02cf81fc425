"""What there is of a stack, found by name, so that a stack that is half gone counts too."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from loupe.domain.running_hours import DOLLARS_PER_UNIT_HOUR
from loupe_cli.render import err, out
from loupe_cli.target import Target

A2I = (
    ("flow definition", "list_flow_definitions", "FlowDefinitionName"),
    ("task page", "list_human_task_uis", "HumanTaskUiName"),
)
LISTED = ("FlowDefinitionSummaries", "HumanTaskUiSummaries", "Workforces")
HOURS_PER_MONTH = 730
GIGABYTE = 2**30
S3_DOLLARS, TABLE_DOLLARS = 0.023, 0.25
"""For a gigabyte a month."""
ALARM_DOLLARS = 0.10
"""For a month."""


@dataclass(frozen=True)
class Thing:
    """One thing of a stack: what it is, its name, what it holds, and what a month of it costs."""

    kind: str
    name: str
    note: str = ""
    dollars: float = 0.0


def things(target: Target) -> Iterator[Thing]:
    """What there is of the stack, found by name, so that a stack that is half gone counts too."""
    for look in LOOKS:
        yield from look(target)


def buckets(target: Target) -> Iterator[Thing]:
    """Its bucket, with the number of objects."""
    s3 = target.client("s3")
    for name in bucket_names(target):
        count, size = 0, 0
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            versions = page.get("Versions", ())
            count += len(versions) + len(page.get("DeleteMarkers", ()))
            size += sum(version["Size"] for version in versions)
        note = f"{count} objects, with their old versions: {size / GIGABYTE:.3f} GB"
        yield Thing("bucket", name, note, S3_DOLLARS * size / GIGABYTE)


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
                    dollars * HOURS_PER_MONTH if running else 0.0,
                )
        yield Thing("project", target.name)


def tables(target: Target) -> Iterator[Thing]:
    """Its table: records of images, reviews, labels, versions."""
    client = target.client("dynamodb")
    for page in client.get_paginator("list_tables").paginate():
        for thing in _named(target, "table", page["TableNames"]):
            size = client.describe_table(TableName=thing.name)["Table"].get("TableSizeBytes", 0)
            yield replace(thing, dollars=TABLE_DOLLARS * size / GIGABYTE)


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


def alarms(target: Target) -> Iterator[Thing]:
    """Its alarms."""
    pages = target.client("cloudwatch").get_paginator("describe_alarms")
    for page in pages.paginate(AlarmNamePrefix=f"{target.name}-"):
        for found in page["MetricAlarms"]:
            yield Thing("alarm", found["AlarmName"], dollars=ALARM_DOLLARS)


def flows(target: Target) -> Iterator[Thing]:
    """What Amazon A2I's tasks are made from."""
    name = re.compile(rf"{re.escape(target.name)}-[0-9a-f]{{8}}(-[1-3])?")
    for kind, operation, member in A2I:
        for found in _listed_by_a2i(target, operation):
            if name.fullmatch(found[member]):
                yield Thing(kind, found[member])


def _listed_by_a2i(target: Target, operation: str) -> list[dict[str, Any]]:
    """What Amazon SageMaker lists. Not every operator may ask, nor has to without Amazon A2I."""
    try:
        pages = list(target.client("sagemaker").get_paginator(operation).paginate())
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDeniedException", "AccessDenied"):
            raise
        err.print(
            f"Amazon SageMaker does not let you use {operation}: if the stack was deployed with "
            f"HumanReview=a2i, look there for what begins with {target.name}-.",
            markup=False,
        )
        return []
    return [found for page in pages for name in page for found in page[name] if name in LISTED]


def own_workforces(target: Target) -> list[str]:
    """The private workforce that was made with the stack, if it is there."""
    found = _listed_by_a2i(target, "list_workforces")
    return [w["WorkforceName"] for w in found if w["WorkforceName"] == target.name]


def find_workforce(target: Target, name: str) -> list[Thing]:
    """The workforce that was asked for by name, and the pool of its members."""
    found = _listed_by_a2i(target, "list_workforces") if name else []
    named = [workforce for workforce in found if workforce["WorkforceName"] == name]
    if name and not named:
        out.print(f"There is no private workforce {name!r}.", markup=False)
    return [
        thing
        for workforce in named
        for thing in (
            Thing("private workforce", name, "with its work teams"),
            Thing("user pool", workforce["CognitoConfig"]["UserPool"], "its members"),
        )
    ]


def bucket_names(target: Target) -> list[str]:
    found = target.client("s3").list_buckets()["Buckets"]
    start = f"{target.name}-bucket-"
    return [item["Name"] for item in found if item["Name"].lower().startswith(start)]


def _named(target: Target, kind: str, names: list[str]) -> Iterator[Thing]:
    return (Thing(kind, name) for name in names if name.startswith(f"{target.name}-"))


LOOKS: tuple[Callable[[Target], Iterator[Thing]], ...] = (
    models,
    buckets,
    tables,
    parameters,
    schedules,
    queues,
    user_pools,
    log_groups,
    alarms,
    flows,
)
