"""Custom resource: ends training runs before CloudFormation deletes their state machines.

CloudFormation waits for the executions of a state machine before it deletes the machine, and one
that waits for approval may take 30 days. The resource depends on the machines, so it is deleted
first.
"""

from typing import Any

from loupe.adapters.cloudformation import CustomResource, Request
from loupe.services.custom_resources.requests import is_late
from loupe.wiring import Deps


def provide(request: Request, context: Any, deps: Deps) -> CustomResource:
    """Delete the state machines with all their executions when the stack is deleted."""
    if request["RequestType"] == "Delete" and deps.cloudformation.is_leaving(request["StackId"]):
        for machine in request["ResourceProperties"]["StateMachines"]:
            deps.executions.delete_machine(machine, lambda: is_late(context))
    return CustomResource("rounds")
