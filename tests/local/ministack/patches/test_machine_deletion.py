"""Business rule: a state machine goes when what it runs has ended, and starts nothing meanwhile."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from loupe.adapters.executions import Executions
from tests.local.stack_help import Client, eventually

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "states.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
WAITS = json.dumps(
    {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}
)
TEMPLATE = json.dumps(
    {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": TRUST},
            },
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "StateMachineName": "of-a-stack",
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "DefinitionString": WAITS,
                },
            },
        }
    }
)


@pytest.fixture
def states(client: Client) -> Any:
    return client("stepfunctions")


@pytest.fixture
def machine(client: Client, states: Any) -> Iterator[str]:
    """A machine whose executions wait for an hour."""
    iam = client("iam")
    role = iam.create_role(RoleName="machine", AssumeRolePolicyDocument=json.dumps(TRUST))
    arn = states.create_state_machine(name="waits", definition=WAITS, roleArn=role["Role"]["Arn"])[
        "stateMachineArn"
    ]
    yield str(arn)
    Executions(states).delete_machine(arn, lambda: False)
    iam.delete_role(RoleName="machine")


def machines(states: Any) -> list[str]:
    return [found["name"] for found in states.list_state_machines()["stateMachines"]]


def test_a_machine_that_runs_something_is_deleting_and_starts_nothing(
    states: Any, machine: str
) -> None:
    states.start_execution(stateMachineArn=machine)

    states.delete_state_machine(stateMachineArn=machine)

    assert states.describe_state_machine(stateMachineArn=machine)["status"] == "DELETING"
    with pytest.raises(ClientError) as refused:
        states.start_execution(stateMachineArn=machine)
    assert refused.value.response["Error"]["Code"] == "StateMachineDeleting"


def test_a_machine_goes_with_all_that_it_runs(states: Any, machine: str) -> None:
    for _ in range(2):
        states.start_execution(stateMachineArn=machine)

    Executions(states).delete_machine(machine, lambda: False)

    assert "waits" not in machines(states)


def test_a_machine_that_takes_too_long_to_go_is_an_error(states: Any, machine: str) -> None:
    states.start_execution(stateMachineArn=machine)

    with pytest.raises(TimeoutError):
        Executions(states).delete_machine(machine, lambda: True)


def test_a_machine_that_is_gone_is_fine(states: Any, machine: str) -> None:
    for _ in range(2):
        Executions(states).delete_machine(machine, lambda: False)


def test_cloudformation_waits_for_what_a_machine_runs(client: Client, states: Any) -> None:
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName="with-a-machine", TemplateBody=TEMPLATE, Capabilities=["CAPABILITY_IAM"]
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="with-a-machine", WaiterConfig={"Delay": 0.2, "MaxAttempts": 50}
    )
    (arn,) = [
        found["stateMachineArn"]
        for found in states.list_state_machines()["stateMachines"]
        if found["name"] == "of-a-stack"
    ]
    execution = states.start_execution(stateMachineArn=arn)["executionArn"]

    cloudformation.delete_stack(StackName="with-a-machine")

    eventually(lambda: states.describe_state_machine(stateMachineArn=arn)["status"] == "DELETING")
    (stack,) = cloudformation.describe_stacks(StackName="with-a-machine")["Stacks"]
    assert stack["StackStatus"] == "DELETE_IN_PROGRESS"

    states.stop_execution(executionArn=execution)

    eventually(lambda: "of-a-stack" not in machines(states))
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName="with-a-machine", WaiterConfig={"Delay": 0.2, "MaxAttempts": 50}
    )


def test_two_synchronous_executions_of_one_name_run_side_by_side(
    client: Client, states: Any
) -> None:
    """Given a run that goes on, when the same name is started again, as a message that is delivered
    twice does, then each has an end of its own."""
    role = client("iam").create_role(RoleName="twice", AssumeRolePolicyDocument=json.dumps(TRUST))
    waits = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 2, "End": True}}}
    machine = states.create_state_machine(
        name="twice", type="EXPRESS", definition=json.dumps(waits), roleArn=role["Role"]["Arn"]
    )["stateMachineArn"]

    def run(_: int) -> str:
        return str(states.start_sync_execution(stateMachineArn=machine, name="one")["status"])

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, range(2))) == ["SUCCEEDED", "SUCCEEDED"]
