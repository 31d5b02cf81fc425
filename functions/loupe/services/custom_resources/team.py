"""Custom resource: a private workforce and its work team, for accounts that have none yet."""

from collections.abc import Mapping
from typing import Any

from loupe.adapters.cloudformation import CustomResource, Request
from loupe.wiring import Deps


def provide(request: Request, context: Any, deps: Deps) -> CustomResource:  # noqa: ARG001
    """Make the workforce and the team; the team's ARN is the physical id, `Portal` its address.

    Deleting it takes both away. The template keeps them when the stack goes: people may have
    other tasks in the portal, and `loupe teardown --workforce NAME` deletes them when asked.
    """
    properties = request["ResourceProperties"]
    name = properties["Name"]
    if request["RequestType"] == "Delete":
        deps.workforce.delete(name)
        return CustomResource(str(request["PhysicalResourceId"]))
    if request["RequestType"] == "Create":
        create(properties, deps)
    team = deps.workforce.team(name)
    return CustomResource(team.arn, {"Portal": team.portal})


def create(properties: Mapping[str, str], deps: Deps) -> None:
    """Make both; raises ValueError when the Region has a workforce: there can be only one."""
    name = properties["Name"]
    if others := deps.workforce.names():
        raise ValueError(
            f"this Region has the private workforce {others[0]!r} already, and "
            "can have only one: deploy with WorkteamArn, the ARN of one of its teams"
        )
    deps.workforce.create(name, properties["UserPool"], properties["ClientId"])
    try:
        deps.workforce.create_team(
            name, properties["UserPool"], properties["ClientId"], properties["UserGroup"]
        )
    except Exception:
        deps.workforce.delete(name)  # CloudFormation does not ask to delete what was never there.
        raise
