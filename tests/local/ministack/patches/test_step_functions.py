"""Errors have the names that AWS gives them: state machines retry and catch by these."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.local.stack_help import Client, eventually

CODE = """
import time

class TryAgain(Exception):
    pass

calls = []

def handler(event, context):
    calls.append(event)
    if event.get("sleep"):
        time.sleep(event["sleep"])
    if event.get("raise") == "KeyError":
        return {}["x"]
    if event.get("raise"):
        raise TryAgain("not yet")
    return {"calls": len(calls)}
"""
ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def role(client: Client) -> str:
    """A role that functions and machines of this file run in."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    iam = client("iam")
    principal = {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]}
    made = iam.create_role(
        RoleName="errors",
        AssumeRolePolicyDocument=json.dumps({"Statement": [trust | {"Principal": principal}]}),
    )
    allowed = {
        "Effect": "Allow",
        "Action": ["lambda:InvokeFunction", "states:StartExecution"],
        "Resource": "*",
    }
    iam.put_role_policy(
        RoleName="errors", PolicyName="p", PolicyDocument=json.dumps({"Statement": [allowed]})
    )
    return str(made["Role"]["Arn"])


@pytest.fixture(scope="module")
def function(client: Client, role: str) -> Iterator[str]:
    """A function that raises what it is told to."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("raising.py", CODE)
    made = client("lambda").create_function(
        FunctionName="raising",
        Runtime="python3.11",
        Role=role,
        Handler="raising.handler",
        Timeout=2,
        Code={"ZipFile": body.getvalue()},
    )
    yield str(made["FunctionArn"])
    client("lambda").delete_function(FunctionName="raising")


def invoked(client: Client, **payload: Any) -> tuple[bool, dict[str, Any]]:
    answer = client("lambda").invoke(FunctionName="raising", Payload=json.dumps(payload))
    return "FunctionError" in answer, json.loads(answer["Payload"].read())


def ended(client: Client, role: str, definition: dict[str, Any], name: str) -> dict[str, Any]:
    """How an execution of a new machine ends."""
    machines = client("stepfunctions")
    arn = machines.create_state_machine(
        name=name, definition=json.dumps({"QueryLanguage": "JSONata"} | definition), roleArn=role
    )["stateMachineArn"]
    execution = machines.start_execution(stateMachineArn=arn, input="{}")["executionArn"]

    def look() -> dict[str, Any]:
        described: dict[str, Any] = machines.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else {}

    return eventually(look, 20)


def test_an_exception_is_named_by_its_class(client: Client, function: str) -> None:
    """When a function raises, then errorType is the class and errorMessage its text."""
    failed, error = invoked(client, **{"raise": "TryAgain"})
    assert failed
    assert (error["errorType"], error["errorMessage"]) == ("TryAgain", "not yet")
    assert error["stackTrace"]

    assert invoked(client, **{"raise": "KeyError"})[1]["errorType"] == "KeyError"


def test_a_function_goes_on_after_an_exception_in_the_same_process(
    client: Client, function: str
) -> None:
    """An exception does not end the execution environment."""
    before = invoked(client)[1]["calls"]
    invoked(client, **{"raise": "TryAgain"})

    assert invoked(client)[1]["calls"] == before + 2


def test_a_timeout_is_named_as_lambda_does(client: Client, function: str) -> None:
    failed, error = invoked(client, sleep=4)
    assert failed
    assert error["errorType"] == "Sandbox.Timedout"


def test_a_machine_catches_an_exception_by_its_class(
    client: Client, function: str, role: str
) -> None:
    task = {
        "Type": "Task",
        "Resource": function,
        "Arguments": {"raise": "TryAgain"},
        "Catch": [
            {
                "ErrorEquals": ["TryAgain"],
                "Output": "{% $states.errorOutput.Error %}",
                "Next": "Caught",
            }
        ],
        "End": True,
    }
    machine = {"StartAt": "Task", "States": {"Task": task, "Caught": {"Type": "Succeed"}}}

    assert json.loads(ended(client, role, machine, "catching")["output"]) == "TryAgain"


def test_a_task_that_waits_for_a_token_fails_with_its_function(
    client: Client, function: str, role: str
) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Arguments": {
            "FunctionName": function,
            "Payload": {"raise": "TryAgain", "token": "{% $states.context.Task.Token %}"},
        },
        "TimeoutSeconds": 60,
        "End": True,
    }
    machine = {"StartAt": "Task", "States": {"Task": task}}

    assert ended(client, role, machine, "waiting")["error"] == "TryAgain"


def test_a_nested_execution_fails_as_a_task_with_its_own_error_in_the_cause(
    client: Client, role: str
) -> None:
    fail = {"Type": "Fail", "Error": "Inner", "Cause": "it broke"}
    inner = client("stepfunctions").create_state_machine(
        name="inner",
        definition=json.dumps({"StartAt": "Fail", "States": {"Fail": fail}}),
        roleArn=role,
    )["stateMachineArn"]
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": inner, "Input": {}},
        "End": True,
    }

    outer = ended(client, role, {"StartAt": "Task", "States": {"Task": task}}, "outer")

    assert outer["error"] == "States.TaskFailed"
    assert json.loads(outer["cause"])["Error"] == "Inner"
    assert json.loads(outer["cause"])["Cause"] == "it broke"
