"""Task pages and flow definitions."""

import hashlib
import json
import time

from loupe_local.a2i.paging import paged
from loupe_local.database import Database, Row
from loupe_local.environment import ACCOUNT, REGION
from loupe_local.http.wire import Caller, Json, ServiceError

SHOWN = (
    "HumanLoopRequestSource",
    "HumanLoopActivationConfig",
    "HumanLoopConfig",
    "OutputConfig",
    "RoleArn",
)


def create_ui(request: Json, _caller: Caller, database: Database) -> Json:
    """CreateHumanTaskUi."""
    name = request["HumanTaskUiName"]
    arn = _arn("human-task-ui", name)
    with database.change():
        if database.row("SELECT 1 FROM task_ui WHERE name = ?", name):
            raise ServiceError("ResourceInUse", f"The task page {name} exists already.")
        database.run(
            "INSERT INTO task_ui VALUES (?, ?, ?, ?)",
            name,
            arn,
            request["UiTemplate"]["Content"],
            time.time(),
        )
    return {"HumanTaskUiArn": arn}


def describe_ui(request: Json, _caller: Caller, database: Database) -> Json:
    """DescribeHumanTaskUi."""
    row = _row(database, "task_ui", request["HumanTaskUiName"])
    return {
        "HumanTaskUiArn": row["arn"],
        "HumanTaskUiName": row["name"],
        "HumanTaskUiStatus": "Active",
        "CreationTime": row["created"],
        "UiTemplate": {"ContentSha256": hashlib.sha256(row["template"].encode()).hexdigest()},
    }


def delete_ui(request: Json, _caller: Caller, database: Database) -> Json:
    """DeleteHumanTaskUi."""
    _row(database, "task_ui", request["HumanTaskUiName"])
    database.run("DELETE FROM task_ui WHERE name = ?", request["HumanTaskUiName"])
    return {}


def create_flow(request: Json, caller: Caller, database: Database) -> Json:
    """CreateFlowDefinition, active at once."""
    name = request["FlowDefinitionName"]
    caller.require("iam", "iam:PassRole", request["RoleArn"])
    if "HumanLoopConfig" not in request:
        raise ServiceError("ValidationException", "HumanLoopConfig is required")
    page = request["HumanLoopConfig"]["HumanTaskUiArn"]
    arn = _arn("flow-definition", name)
    with database.change():
        if database.row("SELECT 1 FROM flow WHERE name = ?", name):
            raise ServiceError("ResourceInUse", f"The flow definition {name} exists already.")
        if not database.row("SELECT 1 FROM task_ui WHERE arn = ?", page):
            raise ServiceError("ValidationException", f"There is no task page {page}.")
        shown = {member: request[member] for member in SHOWN if member in request}
        database.run(
            "INSERT INTO flow VALUES (?, ?, ?, ?)", name, arn, json.dumps(shown), time.time()
        )
    return {"FlowDefinitionArn": arn}


def describe_flow(request: Json, _caller: Caller, database: Database) -> Json:
    """DescribeFlowDefinition."""
    row = _row(database, "flow", request["FlowDefinitionName"])
    definition: Json = json.loads(row["request"])
    return {
        "FlowDefinitionArn": row["arn"],
        "FlowDefinitionName": row["name"],
        "FlowDefinitionStatus": "Active",
        "CreationTime": row["created"],
    } | definition


def delete_flow(request: Json, _caller: Caller, database: Database) -> Json:
    """DeleteFlowDefinition; its loops must have ended."""
    row = _row(database, "flow", request["FlowDefinitionName"])
    with database.change():
        query = "SELECT count(*) FROM loop WHERE flow = ? AND status = 'InProgress'"
        if database.count(query, row["arn"]):
            raise ServiceError("ResourceInUse", f"{row['name']} still has loops in progress.")
        database.run("DELETE FROM flow WHERE name = ?", row["name"])
    return {}


def list_uis(request: Json, _caller: Caller, database: Database) -> Json:
    """ListHumanTaskUis."""
    rows = database.rows("SELECT * FROM task_ui ORDER BY created DESC, name")
    shown = [
        {
            "HumanTaskUiName": row["name"],
            "HumanTaskUiArn": row["arn"],
            "CreationTime": row["created"],
        }
        for row in rows
    ]
    return paged("HumanTaskUiSummaries", shown, request)


def list_flows(request: Json, _caller: Caller, database: Database) -> Json:
    """ListFlowDefinitions."""
    rows = database.rows("SELECT * FROM flow ORDER BY created DESC, name")
    shown = [
        {
            "FlowDefinitionName": row["name"],
            "FlowDefinitionArn": row["arn"],
            "FlowDefinitionStatus": "Active",
            "CreationTime": row["created"],
        }
        for row in rows
    ]
    return paged("FlowDefinitionSummaries", shown, request)


def _arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"


def _row(database: Database, table: str, name: str) -> Row:
    row = database.row(f"SELECT * FROM {table} WHERE name = ?", name)
    if row is None:
        raise ServiceError("ResourceNotFound", f"There is no {name}.")
    return row
