"""Custom resource: ends training runs before CloudFormation deletes their state machines.

A state machine is only gone when its executions are, and one that waits for an operator's approval
waits for up to 30 days. The resource depends on the machines, so it is deleted first.
"""

from collections.abc import Mapping
from typing import Any

from loupe.adapters.cloudformation import Resource, answer, is_late
from loupe.wiring import deps

LEAVING = ("DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS")
"""States of a stack that goes as a whole. An update that is rolled back must not end anything."""


def handler(event: dict[str, Any], context: Any) -> None:
    """A CloudFormation request; the answer goes to its ResponseURL, a failure as a failure."""
    answer(event, context, provide)


def provide(event: Mapping[str, Any], context: Any) -> Resource:
    """Nothing is made; when the stack is deleted, the machines are, with all that they run."""
    if event["RequestType"] == "Delete" and _is_leaving(event["StackId"]):
        for machine in event["ResourceProperties"]["StateMachines"]:
            deps().executions.delete_machine(machine, lambda: is_late(context))
    return Resource("rounds")


def _is_leaving(stack_id: str) -> bool:
    cloudformation = deps().client("cloudformation")
    (stack,) = cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
    return stack["StackStatus"] in LEAVING
