"""Parameter Store: the event of a change, and values that do not fit their pattern."""

import re
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import ssm

from loupe_local.http.wire import Json
from loupe_local.ministack.internals import send_event


def apply() -> None:
    """Sends `Parameter Store Change`, which MiniStack does not, whoever changed the parameter."""
    put, delete, delete_many = ssm._put_parameter, ssm._delete_parameter, ssm._delete_parameters

    def put_parameter(data: Json) -> Any:
        reply = _mismatch(data) or put(data)
        if reply[0] == 200:
            record = ssm._lookup_parameter(data["Name"])[1]
            _announce("Create" if record["Version"] == 1 else "Update", record)
        return reply

    def deleting(names: list[Any], act: Callable[[Json], Any], data: Json) -> Any:
        before = [ssm._lookup_parameter(name)[1] for name in names if isinstance(name, str)]
        reply = act(data)
        for record in before:
            if record and ssm._lookup_parameter(record["Name"])[1] is None:
                _announce("Delete", record)
        return reply

    ssm._put_parameter = put_parameter
    ssm._delete_parameter = lambda data: deleting([data.get("Name")], delete, data)
    ssm._delete_parameters = lambda data: deleting(data.get("Names", []), delete_many, data)


def _announce(operation: str, record: Json) -> None:
    send_event(
        {
            "source": "aws.ssm",
            "detail-type": "Parameter Store Change",
            "resources": [record["ARN"]],
            "detail": {"operation": operation, "name": record["Name"], "type": record["Type"]},
        }
    )


def _mismatch(data: Json) -> Any:
    """The refusal of a PutParameter whose value does not fit its pattern, which MiniStack lets by.

    A parameter that is overwritten without a pattern has none from then on, as on AWS.
    """
    pattern = data.get("AllowedPattern")
    try:
        if not pattern or re.search(pattern, str(data.get("Value", "")), re.ASCII):
            return None
    except re.error as error:
        return error_response_json("InvalidAllowedPatternException", str(error), 400)
    message = f"Parameter value, cannot be validated against allowedPattern: {pattern}"
    return error_response_json("ParameterPatternMismatchException", message, 400)
