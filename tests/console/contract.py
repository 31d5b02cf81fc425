"""The contract that the code declares, and whether an answer keeps it."""

import re
from typing import Any

from jsonschema import Draft202012Validator

from tools.openapi import document

CONTRACT = document()
PATHS: list[tuple[re.Pattern[str], dict[str, Any]]] = [
    (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), operations)
    for path, operations in sorted(CONTRACT["paths"].items(), key=lambda item: "{" in item[0])
]
"""Each path as a pattern, and its operations by method; those with parameters come last."""


def _validators() -> dict[tuple[str, str], Any]:
    """What checks each answer in JSON, by operation and status."""
    made = {}
    for _, operations in PATHS:
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if "$ref" in response:
                    response = CONTRACT["components"]["responses"][status]
                if content := response["content"].get("application/json"):
                    schema = content["schema"] | {"components": CONTRACT["components"]}
                    Draft202012Validator.check_schema(schema)
                    made[operation["operationId"], status] = Draft202012Validator(schema)
    return made


VALIDATORS = _validators()


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """What the contract says of a request, if there is such a route."""
    for pattern, operations in PATHS:
        if method.lower() in operations and pattern.fullmatch(path):
            operation: dict[str, Any] = operations[method.lower()]
            return operation
    return None


def check_answer(method: str, path: str, status: int, body: Any) -> None:
    """Raise unless the contract has such an answer to the request."""
    operation = operation_of(method, path)
    if operation is None:
        assert status == 404, f"{method} {path} is no route, and is answered with {status}"
        return
    responses = operation["responses"]
    assert str(status) in responses, f"{method} {path} may not answer {status}: {body}"
    if validator := VALIDATORS.get((operation["operationId"], str(status))):
        validator.validate(body)
