"""Custom resource: a private workforce and its work team, for accounts that have none yet."""

import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from loupe.adapters.cloudformation import Resource, answer
from loupe.wiring import deps

POLL_SECONDS = 5


def handler(event: dict[str, Any], context: Any) -> None:
    """A CloudFormation request; the answer goes to its ResponseURL, a failure as a failure."""
    answer(event, context, provide)


def provide(event: Mapping[str, Any], context: Any) -> Resource:
    """Make the workforce and the team; the team's ARN is the physical id, `Portal` its address.

    Deleting it takes both away. The template keeps them when the stack goes: people may have
    other tasks in the portal, and `loupe teardown --workforce NAME` deletes them when asked.
    """
    properties, sagemaker = event["ResourceProperties"], deps().client("sagemaker")
    name = properties["Name"]
    if event["RequestType"] == "Delete":
        delete(sagemaker, name)
        return Resource(str(event["PhysicalResourceId"]))
    if event["RequestType"] == "Create":
        create(sagemaker, properties)
    team = sagemaker.describe_workteam(WorkteamName=name)["Workteam"]
    return Resource(team["WorkteamArn"], {"Portal": f"https://{team.get('SubDomain', '')}"})


def create(sagemaker: Any, properties: Mapping[str, str]) -> None:
    """Make both; raises ValueError when the Region has a workforce: there can be only one."""
    name = properties["Name"]
    if others := sagemaker.list_workforces()["Workforces"]:
        raise ValueError(
            f"this Region has the private workforce {others[0]['WorkforceName']!r} already, and "
            "can have only one: deploy with WorkteamArn, the ARN of one of its teams"
        )
    cognito = {"UserPool": properties["UserPool"], "ClientId": properties["ClientId"]}
    sagemaker.create_workforce(WorkforceName=name, CognitoConfig=cognito)
    try:
        create_team(sagemaker, name, cognito | {"UserGroup": properties["UserGroup"]})
    except Exception:
        delete(sagemaker, name)  # CloudFormation does not ask to delete what was never there.
        raise


def create_team(sagemaker: Any, name: str, cognito: Mapping[str, str]) -> None:
    """Make the team once the workforce is ready for it."""
    while sagemaker.describe_workforce(WorkforceName=name)["Workforce"].get("Status") in (
        "Initializing",
        "Updating",
    ):
        time.sleep(POLL_SECONDS)
    sagemaker.create_workteam(
        WorkteamName=name,
        WorkforceName=name,
        Description="Reviewers of Loupe",
        MemberDefinitions=[{"CognitoMemberDefinition": cognito}],
    )


def delete(sagemaker: Any, name: str) -> None:
    """Delete both; what is gone already is fine."""
    for remove, argument in (
        (sagemaker.delete_workteam, "WorkteamName"),
        (sagemaker.delete_workforce, "WorkforceName"),
    ):
        try:
            remove(**{argument: name})
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ResourceNotFound", "ValidationException"):
                raise
