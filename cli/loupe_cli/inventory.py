"""What there is of a stack, also of one that is half made or half gone.

CloudFormation's own list says what belongs to it, a tag what it has left behind, and a name that is
exactly its own what bears no tag. A name that merely begins like the stack's decides nothing: with
`x` there may be `x-prod`, and `X`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from loupe.domain.running_hours import DOLLARS_PER_UNIT_HOUR
from loupe.faults import code_of
from loupe_cli.render import err, out
from loupe_cli.target import Target

KINDS = {
    "AWS::S3::Bucket": "bucket",
    "AWS::DynamoDB::Table": "table",
    "AWS::SSM::Parameter": "parameter",
    "AWS::Scheduler::Schedule": "schedule",
    "AWS::SQS::Queue": "queue",
    "AWS::Cognito::UserPool": "user pool",
    "AWS::Logs::LogGroup": "log group",
    "AWS::CloudWatch::Alarm": "alarm",
}
"""The resources that are listed. What costs nothing and holds nothing is left out."""
NESTED = "AWS::CloudFormation::Stack"
KEPT = "WorkerPool"
"""The members of a private workforce, which stays when the stack goes."""
TAG = "loupe:stack"
"""The stack's name, on what the template keeps when it is replaced."""
TAGGED = {"s3": "bucket", "dynamodb": "table", "cognito-idp": "user pool"}
"""What bears the tag, by service."""
LOOKUPS = {
    "bucket": ("s3", "head_bucket", "Bucket"),
    "table": ("dynamodb", "describe_table", "TableName"),
    "user pool": ("cognito-idp", "describe_user_pool", "UserPoolId"),
}
"""What tells whether a resource is still there: service, action, and its name's argument."""
GONE = ("404", "NoSuchBucket", "ResourceNotFoundException")
SCHEDULES = ("training", "sampling", "housekeeping", "settings")
LOG_GROUPS = ("/loupe/{}/functions", "/loupe/{}/console", "/aws/vendedlogs/states/{}")
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
class Resource:
    """A resource of a stack: its kind, its name, what it holds, and what a month of it costs."""

    kind: str
    name: str
    note: str = ""
    dollars: float = 0.0


def resources(target: Target) -> list[Resource]:
    """All that there is of the stack, each once."""
    once = {(resource.kind, resource.name): resource for look in LOOKS for resource in look(target)}
    return [
        _measured(target, resource) for resource in once.values() if _is_there(target, resource)
    ]


def bucket_names(target: Target) -> list[str]:
    """Its bucket, and those that it had before."""
    present = {*owned(target), *left_behind(target)}
    return sorted(t.name for t in present if t.kind == "bucket" and _is_there(target, t))


def owned(target: Target) -> Iterator[Resource]:
    """What CloudFormation lists of the stack and its nested stacks, in whatever state they are."""
    for resource in _stack_resources(target, target.name):
        kind = KINDS.get(resource["ResourceType"])
        if kind and resource["LogicalResourceId"] != KEPT:
            yield Resource(kind, resource["PhysicalResourceId"])


def _stack_resources(target: Target, stack: str) -> Iterator[dict[str, Any]]:
    """What is there of a stack, which its name or ARN says, and of the stacks in it."""
    pages = target.client("cloudformation").get_paginator("list_stack_resources")
    try:
        resources = [
            resource
            for page in pages.paginate(StackName=stack)
            for resource in page["StackResourceSummaries"]
        ]
    except ClientError as error:
        if code_of(error) != "ValidationError":
            raise
        return  # There is no such stack.
    for resource in resources:
        name = resource.get("PhysicalResourceId")
        if not name or resource["ResourceStatus"] == "DELETE_COMPLETE":
            continue
        yield resource
        if resource["ResourceType"] == NESTED:
            yield from _stack_resources(target, name)


def left_behind(target: Target) -> Iterator[Resource]:
    """What bears the stack's tag, whether or not the stack still knows it."""
    pages = target.client("resourcegroupstaggingapi").get_paginator("get_resources")
    tag = {"Key": TAG, "Values": [target.name]}
    for page in pages.paginate(TagFilters=[tag], ResourceTypeFilters=list(TAGGED)):
        for mapping in page["ResourceTagMappingList"]:
            _, _, service, _, _, path = mapping["ResourceARN"].split(":", 5)
            yield Resource(TAGGED[service], path.rpartition("/")[2])


def _is_there(target: Target, resource: Resource) -> bool:
    """Lists and tags name for a while what was deleted a moment ago, or by hand."""
    if resource.kind not in LOOKUPS:
        return True
    service, operation, argument = LOOKUPS[resource.kind]
    try:
        getattr(target.client(service), operation)(**{argument: resource.name})
    except ClientError as error:
        if code_of(error) not in GONE:
            raise
        return False
    return True


def _measured(target: Target, resource: Resource) -> Resource:
    """The same with what it holds and costs."""
    match resource.kind:
        case "bucket":
            count, size = _bucket_size(target, resource.name)
            note = f"{count} objects, with their old versions: {size / GIGABYTE:.3f} GB"
            return replace(resource, note=note, dollars=S3_DOLLARS * size / GIGABYTE)
        case "table":
            table = target.client("dynamodb").describe_table(TableName=resource.name)["Table"]
            size = table.get("TableSizeBytes", 0)
            return replace(resource, dollars=TABLE_DOLLARS * size / GIGABYTE)
        case "alarm":
            return replace(resource, dollars=ALARM_DOLLARS)
    return resource


def _bucket_size(target: Target, bucket: str) -> tuple[int, int]:
    """(versions and delete markers, bytes)."""
    count, size = 0, 0
    for page in target.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket):
        versions = page.get("Versions", ())
        count += len(versions) + len(page.get("DeleteMarkers", ()))
        size += sum(version["Size"] for version in versions)
    return count, size


def models(target: Target) -> Iterator[Resource]:
    """The project and its versions; those that run are billed by the hour."""
    client = target.client("rekognition")
    for project in client.describe_projects(ProjectNames=[target.name])["ProjectDescriptions"]:
        arn = project["ProjectArn"]
        pages = client.get_paginator("describe_project_versions").paginate(ProjectArn=arn)
        for page in pages:
            for version in page["ProjectVersionDescriptions"]:
                running = version["Status"] in ("RUNNING", "STARTING")
                dollars = DOLLARS_PER_UNIT_HOUR * version.get("MinInferenceUnits", 1)
                yield Resource(
                    "model version",
                    version["ProjectVersionArn"].split("/")[3],
                    f"runs: ${dollars:.2f} an hour" if running else version["Status"].lower(),
                    dollars * HOURS_PER_MONTH if running else 0.0,
                )
        yield Resource("project", target.name)


def parameters(target: Target) -> Iterator[Resource]:
    """Its settings."""
    pages = target.client("ssm").get_paginator("get_parameters_by_path")
    for page in pages.paginate(Path=f"/{target.name}/", Recursive=True):
        for parameter in page["Parameters"]:
            yield Resource("parameter", parameter["Name"])


def schedules(target: Target) -> Iterator[Resource]:
    """Its schedules."""
    own = {f"{target.name}-{schedule}" for schedule in SCHEDULES}
    pages = target.client("scheduler").get_paginator("list_schedules")
    for page in pages.paginate(NamePrefix=f"{target.name}-"):
        for schedule in page["Schedules"]:
            if schedule["Name"] in own:
                yield Resource("schedule", schedule["Name"])


def log_groups(target: Target) -> Iterator[Resource]:
    """Its logs, which a late line makes again."""
    pages = target.client("logs").get_paginator("describe_log_groups")
    for pattern in LOG_GROUPS:
        name = pattern.format(target.name)
        for page in pages.paginate(logGroupNamePrefix=name):
            for group in page["logGroups"]:
                if group["logGroupName"] == name:
                    yield Resource("log group", name)


def flows(target: Target) -> Iterator[Resource]:
    """What Amazon A2I's tasks are made from."""
    name = re.compile(rf"{re.escape(target.name)}-[0-9a-f]{{8}}(-[1-3])?")
    for kind, operation, member in A2I:
        for listed in _listed_by_a2i(target, operation):
            if name.fullmatch(listed[member]):
                yield Resource(kind, listed[member])


def _listed_by_a2i(target: Target, operation: str) -> list[dict[str, Any]]:
    """What Amazon SageMaker lists. Not every operator may ask, nor has to without Amazon A2I."""
    try:
        pages = list(target.client("sagemaker").get_paginator(operation).paginate())
    except ClientError as error:
        if code_of(error) not in ("AccessDeniedException", "AccessDenied"):
            raise
        err.print(
            f"Amazon SageMaker does not let you use {operation}: if the stack was deployed with "
            f"HumanReview=a2i, look there for {target.name}- with eight hexadecimal digits.",
            markup=False,
        )
        return []
    return [item for page in pages for name in page for item in page[name] if name in LISTED]


def own_workforces(target: Target) -> list[str]:
    """The private workforce that was made with the stack, if it is there."""
    listed = _listed_by_a2i(target, "list_workforces")
    return [w["WorkforceName"] for w in listed if w["WorkforceName"] == target.name]


def find_workforce(target: Target, name: str) -> list[Resource]:
    """The workforce of a name, and the pool of its members."""
    listed = _listed_by_a2i(target, "list_workforces") if name else []
    named = [workforce for workforce in listed if workforce["WorkforceName"] == name]
    if name and not named:
        out.print(f"There is no private workforce {name!r}.", markup=False)
    return [
        resource
        for workforce in named
        for resource in (
            Resource("private workforce", name, "with its work teams"),
            Resource("user pool", workforce["CognitoConfig"]["UserPool"], "its members"),
        )
    ]


LOOKS: tuple[Callable[[Target], Iterator[Resource]], ...] = (
    models,
    owned,
    left_behind,
    parameters,
    schedules,
    log_groups,
    flows,
)
