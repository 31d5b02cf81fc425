"""The two AWS protocols of A2I: `sagemaker` by header, `sagemaker-a2i-runtime` by path."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from loupe_local.a2i import definitions, loops, teams
from loupe_local.database import Database
from loupe_local.environment import ACCOUNT, REGION
from loupe_local.http.contract import input_faults
from loupe_local.http.wire import (
    Caller,
    Json,
    Reply,
    Request,
    ServiceError,
    error_reply,
    json_body,
    json_reply,
)
from loupe_local.rekognition.faults import Faults

TARGET = "SageMaker."
CONTENT = "application/x-amz-json-1.1"
PATH = "/human-loops"
SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/sagemaker/aws4_request")

Act = Callable[[Json, Caller, Database], Json]


@dataclass(frozen=True)
class Operation:
    """What does the work, and the ARN to be permitted on, made from the request."""

    act: Act
    resource: Callable[[Json], str]


def _named(kind: str, member: str) -> Callable[[Json], str]:
    return lambda request: f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{request.get(member)}"


TEAM = _named("workteam/private-crowd", "WorkteamName")

# Resources as in the Service Authorization Reference.
DEFINITIONS = {
    "CreateHumanTaskUi": Operation(
        definitions.create_ui, _named("human-task-ui", "HumanTaskUiName")
    ),
    "DescribeHumanTaskUi": Operation(
        definitions.describe_ui, _named("human-task-ui", "HumanTaskUiName")
    ),
    "DeleteHumanTaskUi": Operation(
        definitions.delete_ui, _named("human-task-ui", "HumanTaskUiName")
    ),
    "CreateFlowDefinition": Operation(
        definitions.create_flow, _named("flow-definition", "FlowDefinitionName")
    ),
    "DescribeFlowDefinition": Operation(
        definitions.describe_flow, _named("flow-definition", "FlowDefinitionName")
    ),
    "DeleteFlowDefinition": Operation(
        definitions.delete_flow, _named("flow-definition", "FlowDefinitionName")
    ),
    "ListHumanTaskUis": Operation(definitions.list_uis, lambda _given: "*"),
    "ListFlowDefinitions": Operation(definitions.list_flows, lambda _given: "*"),
    "CreateWorkforce": Operation(teams.create_workforce, _named("workforce", "WorkforceName")),
    "DescribeWorkforce": Operation(teams.describe_workforce, _named("workforce", "WorkforceName")),
    "ListWorkforces": Operation(teams.list_workforces, lambda _given: "*"),
    "DeleteWorkforce": Operation(teams.delete_workforce, _named("workforce", "WorkforceName")),
    "CreateWorkteam": Operation(teams.create_workteam, TEAM),
    "DescribeWorkteam": Operation(teams.describe_workteam, TEAM),
    "ListWorkteams": Operation(teams.list_workteams, lambda _given: "*"),
    "DeleteWorkteam": Operation(teams.delete_workteam, TEAM),
}
LOOPS = {
    "StartHumanLoop": Operation(loops.start, lambda request: str(request.get("FlowDefinitionArn"))),
    "DescribeHumanLoop": Operation(loops.describe, _named("human-loop", "HumanLoopName")),
    "StopHumanLoop": Operation(loops.stop, _named("human-loop", "HumanLoopName")),
    "DeleteHumanLoop": Operation(loops.delete, _named("human-loop", "HumanLoopName")),
    "ListHumanLoops": Operation(loops.list_loops, lambda _given: "*"),
}


class A2I:
    """Task pages and flow definitions, and the loops that they make."""

    def __init__(self, database: Database, faults: Faults) -> None:
        self._database = database
        self._faults = faults

    def recognises(self, request: Request) -> bool:
        """By the operation that the header names, or by path and signature."""
        if request.headers.get("x-amz-target", "").startswith(TARGET):
            return True
        # The path alone could be that of an S3 bucket.
        signed = SCOPE.search(request.headers.get("authorization", ""))
        return signed is not None and (request.path + "/").startswith(f"{PATH}/")

    def answer(self, request: Request, caller: Callable[[], Caller]) -> Reply:
        """The reply to an operation, or its error."""
        target = request.headers.get("x-amz-target", "")
        content = CONTENT if target else "application/json"
        try:
            if target:
                name = target.removeprefix(TARGET)
                payload = json_body(request, "SerializationException")
                return json_reply(
                    self._perform("sagemaker", DEFINITIONS, name, payload, caller()),
                    content=content,
                )
            name, payload = _route(request)
            reply = self._perform("sagemaker-a2i-runtime", LOOPS, name, payload, caller())
            return json_reply(reply, 201 if name == "StartHumanLoop" else 200)
        except ServiceError as error:
            return error_reply(error, content)

    def _perform(
        self,
        model: str,
        operations: dict[str, Operation],
        name: str,
        payload: Json,
        caller: Caller,
    ) -> Json:
        operation = operations.get(name)
        if operation is None:
            raise ServiceError(
                "UnknownOperationException", f"The embedded stack does not know {name}."
            )
        caller.require("sagemaker", f"sagemaker:{name}", operation.resource(payload))
        if (caller.account, caller.region) != (ACCOUNT, REGION):
            raise ServiceError(
                "ValidationException",
                f"The embedded stack has A2I in {REGION} of account {ACCOUNT}.",
            )
        faults = input_faults(model, name, payload)
        if faults:
            raise ServiceError("ValidationException", "; ".join(faults))
        self._faults.strike(name)
        loops.expire(self._database, caller)
        return operation.act(payload, caller, self._database)


def _route(request: Request) -> tuple[str, Json]:
    """The operation of a REST request and its input."""
    rest = unquote(request.path.removeprefix(PATH).strip("/"))
    match request.method, rest:
        case "POST", "":
            return "StartHumanLoop", json_body(request, "ValidationException")
        case "POST", "stop":
            return "StopHumanLoop", json_body(request, "ValidationException")
        case "GET", "":
            return "ListHumanLoops", _query(request)
        case "GET", name:
            return "DescribeHumanLoop", {"HumanLoopName": name}
        case "DELETE", name if name:
            return "DeleteHumanLoop", {"HumanLoopName": name}
    raise ServiceError("ValidationException", f"There is no {request.method} {request.path}.")


def _query(request: Request) -> Json:
    query: Json = dict(request.query)
    if "MaxResults" in query:
        try:
            query["MaxResults"] = int(query["MaxResults"])
        except ValueError as error:
            raise ServiceError("ValidationException", "MaxResults must be an integer") from error
    return query
