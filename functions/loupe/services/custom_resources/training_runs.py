"""Custom resource: ends training runs before CloudFormation deletes their state machines.

A state machine is only gone when its executions are, and one that waits for an operator's approval
waits for up to 30 days. The resource depends on the machines, so it is deleted first.
"""

from typing import Any

from loupe.adapters.cloudformation import CustomResource, Request
from loupe.services.custom_resources.requests import is_late
from loupe.wiring import Deps


def provide(request: Request, context: Any, deps: Deps) -> CustomResource:
    """Nothing is made; when the stack is deleted, the machines are, with all that they run."""
    if request["RequestType"] == "Delete" and deps.cloudformation.is_leaving(request["StackId"]):
        for machine in request["ResourceProperties"]["StateMachines"]:
            deps.executions.delete_machine(machine, lambda: is_late(context))
    return CustomResource("rounds")
