"""The private workforce and its work teams."""

import json
import time

from loupe_local.a2i.paging import paged
from loupe_local.database import Database, Row
from loupe_local.environment import ACCOUNT, REGION
from loupe_local.http.wire import Caller, Json, ServiceError


def create_workforce(request: Json, _caller: Caller, database: Database) -> Json:
    """CreateWorkforce; a Region has at most one."""
    name = request["WorkforceName"]
    with database.change():
        if database.count("SELECT count(*) FROM workforce"):
            raise ServiceError("ValidationException", "There is a private workforce already.")
        _insert(database, "workforce", name, request)
    return {"WorkforceArn": _arn("workforce", name)}


def describe_workforce(request: Json, _caller: Caller, database: Database) -> Json:
    """DescribeWorkforce."""
    return {"Workforce": _workforce(_row(database, "workforce", request["WorkforceName"]))}


def list_workforces(request: Json, _caller: Caller, database: Database) -> Json:
    """ListWorkforces."""
    rows = database.rows("SELECT * FROM workforce")
    return paged("Workforces", [_workforce(row) for row in rows], request)


def delete_workforce(request: Json, _caller: Caller, database: Database) -> Json:
    """DeleteWorkforce; its teams must be gone."""
    row = _row(database, "workforce", request["WorkforceName"])
    if database.count("SELECT count(*) FROM workteam"):
        raise ServiceError("ValidationException", f"{row['name']} still has work teams.")
    database.run("DELETE FROM workforce WHERE name = ?", row["name"])
    return {}


def create_workteam(request: Json, _caller: Caller, database: Database) -> Json:
    """CreateWorkteam."""
    name = request["WorkteamName"]
    with database.change():
        _row(database, "workforce", request.get("WorkforceName", "default"))
        if database.row("SELECT 1 FROM workteam WHERE name = ?", name):
            raise ServiceError("ResourceInUse", f"The work team {name} exists already.")
        _insert(database, "workteam", name, request)
    return {"WorkteamArn": _team_arn(name)}


def describe_workteam(request: Json, _caller: Caller, database: Database) -> Json:
    """DescribeWorkteam. Teams that were not made here are there, too: a template may name the
    ARN of an existing one, and whoever reaches the workers' page is in it."""
    name = request["WorkteamName"]
    row = database.row("SELECT * FROM workteam WHERE name = ?", name)
    member = {"UserPool": f"{REGION}_local", "UserGroup": name, "ClientId": "local"}
    made: Json = json.loads(row["request"]) if row else {}
    return {
        "Workteam": {
            "WorkteamName": name,
            "MemberDefinitions": made.get(
                "MemberDefinitions", [{"CognitoMemberDefinition": member}]
            ),
            "WorkteamArn": _team_arn(name),
            "Description": made.get("Description", "The reviewers of the embedded stack"),
            "SubDomain": f"{name}.labeling.{REGION}.example",
        }
    }


def list_workteams(request: Json, caller: Caller, database: Database) -> Json:
    """ListWorkteams."""
    rows = database.rows("SELECT name FROM workteam ORDER BY created, name")
    teams = [describe_workteam({"WorkteamName": row["name"]}, caller, database) for row in rows]
    return paged("Workteams", [team["Workteam"] for team in teams], request)


def delete_workteam(request: Json, _caller: Caller, database: Database) -> Json:
    """DeleteWorkteam."""
    row = _row(database, "workteam", request["WorkteamName"])
    database.run("DELETE FROM workteam WHERE name = ?", row["name"])
    return {"Success": True}


def _workforce(row: Row) -> Json:
    request: Json = json.loads(row["request"])
    return {
        "WorkforceName": row["name"],
        "WorkforceArn": _arn("workforce", row["name"]),
        "CognitoConfig": request.get("CognitoConfig"),
        "CreateDate": row["created"],
        "Status": "Active",
    }


def _insert(database: Database, table: str, name: str, request: Json) -> None:
    database.run(f"INSERT INTO {table} VALUES (?, ?, ?)", name, json.dumps(request), time.time())


def _row(database: Database, table: str, name: str) -> Row:
    row = database.row(f"SELECT * FROM {table} WHERE name = ?", name)
    if row is None:
        raise ServiceError("ValidationException", f"There is no {table} {name}.")
    return row


def _team_arn(name: str) -> str:
    return _arn("workteam/private-crowd", name)


def _arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"
