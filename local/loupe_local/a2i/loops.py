"""Human loops: one question each, put to as many people as the flow definition says."""

import json
import time
from datetime import UTC, datetime
from typing import Protocol

from loupe_local.a2i.paging import paged
from loupe_local.database import Database, Row
from loupe_local.environment import ACCOUNT, REGION
from loupe_local.http.wire import Caller, Json, ServiceError

LIFETIME = 864_000
"""Seconds that a loop waits for answers unless its flow definition says less."""


EXPIRED = "The loop's tasks expired."


class Announcer(Protocol):
    """Sends events to EventBridge."""

    def send_event(self, event: Json) -> None:
        """Puts an event on the default bus."""


def start(request: Json, _caller: Caller, database: Database) -> Json:
    """StartHumanLoop; the same again is the same loop."""
    name, flow = request["HumanLoopName"], request["FlowDefinitionArn"]
    content = request["HumanLoopInput"]["InputContent"]
    attributes = json.dumps(request["DataAttributes"]) if "DataAttributes" in request else None
    _json_object(content)
    with database.change():
        definition = database.row("SELECT * FROM flow WHERE arn = ?", flow)
        if definition is None:
            raise ServiceError("ValidationException", f"There is no flow definition {flow}.")
        existing = database.row("SELECT * FROM loop WHERE name = ?", name)
        if existing is None:
            _insert(database, request, definition, content, attributes)
        elif (existing["flow"], existing["input"], existing["attributes"]) != (
            flow,
            content,
            attributes,
        ):
            raise ServiceError(
                "ConflictException", f"A loop {name} was started with another input.", 409
            )
    return {"HumanLoopArn": _arn(name)}


def describe(request: Json, _caller: Caller, database: Database) -> Json:
    """DescribeHumanLoop."""
    row = find(database, request["HumanLoopName"])
    shown = {
        "CreationTime": iso(row["created"]),
        "FailureReason": row["failure"],
        "HumanLoopStatus": row["status"],
        "HumanLoopName": row["name"],
        "HumanLoopArn": row["arn"],
        "FlowDefinitionArn": row["flow"],
        "HumanLoopOutput": {"OutputS3Uri": row["output"]} if row["output"] else None,
    }
    return {name: value for name, value in shown.items() if value is not None}


def stop(request: Json, caller: Caller, database: Database) -> Json:
    """StopHumanLoop; one that has ended stays as it is."""
    row = find(database, request["HumanLoopName"])
    if row["status"] == "InProgress":
        end(database, caller, row, "Stopped")
    return {}


def delete(request: Json, _caller: Caller, database: Database) -> Json:
    """DeleteHumanLoop."""
    row = find(database, request["HumanLoopName"])
    if row["status"] == "InProgress":
        raise ServiceError("ValidationException", "A loop in progress cannot be deleted.")
    database.run("DELETE FROM loop WHERE name = ?", row["name"])
    return {}


def list_loops(request: Json, _caller: Caller, database: Database) -> Json:
    """ListHumanLoops of a flow definition."""
    flow = request["FlowDefinitionArn"]
    if not database.row("SELECT 1 FROM flow WHERE arn = ?", flow):
        raise ServiceError("ResourceNotFoundException", f"There is no {flow}.", 404)
    order = "ASC" if request.get("SortOrder") == "Ascending" else "DESC"
    rows = database.rows(
        f"SELECT * FROM loop WHERE flow = ? AND created >= ? AND created <= ? "
        f"ORDER BY created {order}, name {order}",
        flow,
        _seconds(request.get("CreationTimeAfter"), 0.0),
        _seconds(request.get("CreationTimeBefore"), time.time() + 1),
    )
    return paged("HumanLoopSummaries", [_summary(row) for row in rows], request)


def expire(database: Database, announcer: Announcer) -> None:
    """Fails the loops that nobody answered in time."""
    query = "SELECT * FROM loop WHERE status = 'InProgress' AND due <= ?"
    for row in database.rows(query, time.time()):
        end(database, announcer, row, "Failed", failure=EXPIRED)


def end(
    database: Database,
    announcer: Announcer,
    loop: Row,
    status: str,
    *,
    output: str | None = None,
    failure: str | None = None,
) -> None:
    """Ends a loop and says so."""
    database.run(
        "UPDATE loop SET status = ?, output = ?, failure = ? WHERE name = ?",
        status,
        output,
        failure,
        loop["name"],
    )
    detail: Json = {
        "creationTime": iso(loop["created"]),
        "failureCode": "TaskExpired" if failure else None,
        "failureReason": failure,
        "flowDefinitionArn": loop["flow"],
        "humanLoopArn": loop["arn"],
        "humanLoopName": loop["name"],
        "humanLoopOutput": {"outputS3Uri": output} if output else None,
        "humanLoopStatus": status,
    }
    announcer.send_event(
        {
            "source": "aws.sagemaker",
            "detail-type": "SageMaker A2I HumanLoop Status Change",
            "resources": [loop["arn"]],
            "detail": detail,
        }
    )


def find(database: Database, name: str) -> Row:
    """A loop; ResourceNotFoundException if there is none."""
    row = database.row("SELECT * FROM loop WHERE name = ?", name)
    if row is None:
        raise ServiceError("ResourceNotFoundException", f"There is no human loop {name}.", 404)
    return row


def iso(seconds: float) -> str:
    """A time as A2I writes it."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _insert(
    database: Database, request: Json, definition: Row, content: str, attributes: str | None
) -> None:
    config = json.loads(definition["request"])["HumanLoopConfig"]
    now = time.time()
    database.run(
        "INSERT INTO loop VALUES (?, ?, ?, ?, ?, 'InProgress', NULL, ?, ?, NULL)",
        request["HumanLoopName"],
        _arn(request["HumanLoopName"]),
        definition["arn"],
        content,
        attributes,
        now,
        now + config.get("TaskAvailabilityLifetimeInSeconds", LIFETIME),
    )


def _json_object(content: str) -> None:
    try:
        fits = isinstance(json.loads(content), dict)
    except ValueError:
        fits = False
    if not fits:
        raise ServiceError("ValidationException", "InputContent is not a JSON object.")


def _summary(row: Row) -> Json:
    shown = {
        "HumanLoopName": row["name"],
        "HumanLoopStatus": row["status"],
        "CreationTime": iso(row["created"]),
        "FailureReason": row["failure"],
        "FlowDefinitionArn": row["flow"],
    }
    return {name: value for name, value in shown.items() if value is not None}


def _arn(name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:human-loop/{name}"


def _seconds(moment: str | None, otherwise: float) -> float:
    if moment is None:
        return otherwise
    parsed = datetime.fromisoformat(moment)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
