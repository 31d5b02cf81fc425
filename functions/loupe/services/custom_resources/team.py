"""Custom resource: a private workforce and its work team, for accounts that have none yet."""

from collections.abc import Mapping
from typing import Any

from loupe.adapters.cloudformation import CustomResource, Request
from loupe.wiring import Deps


def provide(request: Request, context: Any, deps: Deps) -> CustomResource:  # noqa: ARG001
    """Create or delete the workforce and the team; the team's ARN is the physical id.

    The template keeps them when the stack is deleted, because people may have other tasks in the
    portal; `loupe teardown --workforce NAME` deletes them.
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
    """Create both; raises ValueError when the Region has its only possible workforce already."""
    name, user_pool, client = (properties[key] for key in ("Name", "UserPool", "ClientId"))
    if others := deps.workforce.names():
        raise ValueError(
            f"this Region has the private workforce {others[0]!r} already, and "
            "can have only one: deploy with WorkteamArn, the ARN of one of its teams"
        )
    deps.workforce.create(name, user_pool, client)
    try:
        deps.workforce.create_team(name, user_pool, client, properties["UserGroup"])
    except Exception:
        deps.workforce.delete(name)  # CloudFormation deletes nothing after a failed creation.
        raise
