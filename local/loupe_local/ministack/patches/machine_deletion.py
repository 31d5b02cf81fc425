"""Deletes a state machine when its executions have ended, as AWS does; MiniStack drops both.

Until then it is DELETING and starts nothing, and CloudFormation waits for it.
"""

import time
from collections.abc import Callable
from typing import Any

from ministack.core.concurrency import spawn_background
from ministack.core.responses import error_response_json, json_response
from ministack.services import stepfunctions
from ministack.services.cloudformation import provisioners, stacks

from loupe_local.http.wire import Json

MACHINE = "AWS::StepFunctions::StateMachine"
POLL = 0.2
"""Seconds between two looks at what a state machine that is being deleted still runs."""


def apply() -> None:
    """Apply the change."""
    machines, delete = stepfunctions._state_machines, stepfunctions._delete_state_machine
    on_thread = stacks._runs_on_worker_thread

    def delete_when_idle(arn: str) -> None:
        _end_executions(arn)
        delete({"stateMachineArn": arn})

    def delete_state_machine(data: Json) -> Any:
        machine = machines.get(data.get("stateMachineArn"))
        if machine:
            machine["status"] = "DELETING"
            spawn_background(delete_when_idle, data["stateMachineArn"], thread_name="loupe-machine")
        return json_response({})

    def deleted(arn: str, _properties: Json) -> None:
        delete_state_machine({"stateMachineArn": arn})
        while arn in machines:
            time.sleep(POLL)

    stepfunctions._delete_state_machine = delete_state_machine
    stepfunctions._start_execution = _unless_deleting(stepfunctions._start_execution)
    stepfunctions._start_sync_execution = _unless_deleting(stepfunctions._start_sync_execution)
    provisioners._RESOURCE_HANDLERS[MACHINE]["delete"] = deleted
    stacks._runs_on_worker_thread = lambda kind: kind == MACHINE or on_thread(kind)


def _unless_deleting(start: Callable[[Json], Any]) -> Callable[[Json], Any]:
    """`start` an execution, unless its machine is being deleted."""

    def start_execution(data: Json) -> Any:
        arn = data.get("stateMachineArn")
        if stepfunctions._state_machines.get(arn, {}).get("status") == "DELETING":
            message = f"State Machine is being deleted: '{arn}'"
            return error_response_json("StateMachineDeleting", message, 400)
        return start(data)

    return start_execution


def _end_executions(machine_arn: str) -> None:
    """Waits until a machine runs nothing; an execution ends when it goes on to another state."""

    def running() -> list[Json]:
        every = list(stepfunctions._executions.values())
        return [e for e in every if (e["stateMachineArn"], e["status"]) == (machine_arn, "RUNNING")]

    events = {execution["name"]: len(execution["events"]) for execution in running()}
    while executions := running():
        for execution in executions:
            if len(execution["events"]) > events.get(execution["name"], 0):
                cause = f"State machine {machine_arn} has been deleted."
                stepfunctions._fail_execution(execution, "States.Runtime", cause)
        time.sleep(POLL)
