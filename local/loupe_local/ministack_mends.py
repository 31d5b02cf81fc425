"""What Loupe changes of MiniStack's insides (1.5.33), because it lacks it or gets it wrong."""

# ruff: noqa: PLC0415
# MiniStack reads the environment when it is imported, so it is imported when it is first needed.

import contextvars
import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from loupe_local.ministack_seam import send_event
from loupe_local.wire import Json

KNOWN_CODE = 100
"""Packages of functions whose hash is remembered."""
EXECUTIONS = 300
"""Finished executions that are kept. MiniStack would keep, and save, every one there ever was."""
SYNCHRONOUS_SECONDS = 60
"""How long a finished synchronous execution is kept; AWS does not show them at all."""
LOG_EVENTS = 5000
"""Log events that are kept of each group."""
EVENTS = 1000
"""Events that are kept for inspection, of each account."""
START_PAUSE = 0.15
"""What MiniStack sleeps before every execution."""


def mend(save: Callable[[], None]) -> None:
    """Applies all changes; `save` replaces MiniStack's own way to save at shutdown."""
    import ministack.app

    # MiniStack saves only at shutdown, every service whether changed or not, in an order that
    # can lose work.
    ministack.app.save_all = lambda _services: save()
    _announce_parameters()
    _name_object_versions()
    _hash_code_once()
    _start_at_once()
    _count_loopback_as_secure()
    _permit_on_named_parameters()
    _name_actions_as_aws()
    _hold_copies_to_tags()
    _keep_machines_that_run()
    _run_synchronously_under_names_of_their_own()
    _keep_what_is_needed_to_delete()
    _keep_buckets_with_objects()


def trim() -> None:
    """Drops what nobody looks at any more, so that neither memory nor saving grows for ever."""
    _trim_executions()
    _trim_logs()
    _trim_events()


def _trim_executions() -> None:
    from ministack.services import stepfunctions

    executions = stepfunctions._executions._data
    finished = sorted(
        (record["stopDate"], key)
        for key, record in list(executions.items())
        if record["status"] != "RUNNING" and record["stopDate"]
    )
    past = datetime.now(UTC) - timedelta(seconds=SYNCHRONOUS_SECONDS)
    for number, (stopped, key) in enumerate(finished):
        surplus = number < len(finished) - EXECUTIONS
        if surplus or (executions[key].get("sync") and datetime.fromisoformat(stopped) < past):
            executions.pop(key, None)


def _trim_logs() -> None:
    from ministack.services import cloudwatch_logs

    gone: set[str] = set()
    for group in list(cloudwatch_logs._log_groups._data.values()):
        streams = list(group["streams"].values())
        surplus = sum(len(stream["events"]) for stream in streams) - LOG_EVENTS
        for stream in sorted(streams, key=lambda stream: stream["lastEventTimestamp"] or 0):
            if surplus <= 0:
                break
            with cloudwatch_logs._log_events_lock:
                dropped = stream["events"][:surplus]
                stream["events"] = stream["events"][surplus:]
            surplus -= len(dropped)
            gone.update(event["eventId"] for event in dropped if "eventId" in event)
    records = cloudwatch_logs._log_records._data
    for key in [key for key in list(records) if key[-1] in gone] if gone else []:
        records.pop(key, None)


def _trim_events() -> None:
    from ministack.services import eventbridge

    for entries in list(eventbridge._events_log._data.values()):
        del entries[:-EVENTS]


def _start_at_once() -> None:
    """Takes out the pause before every execution, which tripled the time of a detection."""
    from ministack.services import stepfunctions

    def sleep(seconds: float) -> None:
        if seconds != START_PAUSE:
            time.sleep(seconds)

    stepfunctions.time = SimpleNamespace(**{**vars(time), "sleep": sleep})


def _count_loopback_as_secure() -> None:
    """Loopback needs no TLS, but a bucket policy that denies plain HTTP must still let it in."""
    import ministack.app

    pin = ministack.app.pin_request_origin
    ministack.app.pin_request_origin = lambda source_ip, _secure: pin(source_ip, True)


def _permit_on_named_parameters() -> None:
    """GetParameters is permitted by parameter, as on AWS; MiniStack would ask for `*`.

    One name stands for all of a request: Loupe's come from one path.
    """
    from ministack.core import iam_actions

    extract = iam_actions.extract_resource_arn

    def extract_resource_arn(service: str, *request: Any) -> Any:
        found = extract(service, *request)
        if service != "ssm" or found != "*":
            return found
        _, _, _, body, _, region, account = request
        names = json.loads(body or b"{}").get("Names")
        if not names:
            return found
        return f"arn:aws:ssm:{region}:{account}:parameter/{names[0].lstrip('/')}"

    iam_actions.extract_resource_arn = extract_resource_arn


def _name_actions_as_aws() -> None:
    """Two places where MiniStack asks for another permission than AWS does.

    Reading or changing one event source mapping is an action of its own; MiniStack calls every GET
    ListEventSourceMappings and checks a PUT not at all. And SQS has no permission for batches: that
    for the single message covers them.
    """
    from ministack.core import iam_actions

    extract = iam_actions.extract_iam_action
    actions = {"GET": "Get", "PUT": "Update", "DELETE": "Delete"}

    def extract_iam_action(service: str, method: str, path: str, *request: Any) -> Any:
        _, found, identity = path.partition("/event-source-mappings/")
        if service == "lambda" and found and identity and method in actions:
            return f"lambda:{actions[method]}EventSourceMapping"
        action = extract(service, method, path, *request)
        return action.removesuffix("Batch") if service == "sqs" and action else action

    iam_actions.extract_iam_action = extract_iam_action


def _hold_copies_to_tags() -> None:
    """A copy that takes tags along needs rights on them, which MiniStack does not ask for."""
    from ministack.core import iam_actions

    checks = iam_actions.s3_additional_checks

    def s3_additional_checks(
        method: str, path: str, headers: Json, *request: Any
    ) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = checks(method, path, headers, *request)
        source = iam_actions._s3_source_object(headers)
        if method == "PUT" and source and headers.get("x-amz-tagging-directive") != "REPLACE":
            found.append(("s3:GetObjectTagging", source[0]))
            found.append(("s3:PutObjectTagging", f"arn:aws:s3:::{path.lstrip('/')}"))
        return found

    iam_actions.s3_additional_checks = s3_additional_checks


def _announce_parameters() -> None:
    """Sends `Parameter Store Change`, which MiniStack does not, whoever changed the parameter."""
    from ministack.services import ssm

    put, delete, delete_many = ssm._put_parameter, ssm._delete_parameter, ssm._delete_parameters

    def announce(operation: str, record: Json) -> None:
        detail = {"operation": operation, "name": record["Name"], "type": record["Type"]}
        send_event(
            {
                "source": "aws.ssm",
                "detail-type": "Parameter Store Change",
                "resources": [record["ARN"]],
                "detail": detail,
            }
        )

    def put_parameter(data: Json) -> Any:
        reply = _mismatch(data) or put(data)
        if reply[0] == 200:
            record = ssm._lookup_parameter(data["Name"])[1]
            announce("Create" if record["Version"] == 1 else "Update", record)
        return reply

    def deleting(names: list[Any], act: Callable[[Json], Any], data: Json) -> Any:
        before = [ssm._lookup_parameter(name)[1] for name in names if isinstance(name, str)]
        reply = act(data)
        for record in before:
            if record and ssm._lookup_parameter(record["Name"])[1] is None:
                announce("Delete", record)
        return reply

    ssm._put_parameter = put_parameter
    ssm._delete_parameter = lambda data: deleting([data.get("Name")], delete, data)
    ssm._delete_parameters = lambda data: deleting(data.get("Names", []), delete_many, data)


def _mismatch(data: Json) -> Any:
    """The refusal of a PutParameter whose value does not fit its pattern, which MiniStack lets by.

    A parameter that is overwritten without a pattern has none from then on, as on AWS.
    """
    from ministack.core.responses import error_response_json

    pattern = data.get("AllowedPattern")
    try:
        if not pattern or re.search(pattern, str(data.get("Value", "")), re.ASCII):
            return None
    except re.error as error:
        return error_response_json("InvalidAllowedPatternException", str(error), 400)
    message = f"Parameter value, cannot be validated against allowedPattern: {pattern}"
    return error_response_json("ParameterPatternMismatchException", message, 400)


_object_version: contextvars.ContextVar[str | None] = contextvars.ContextVar(
    "loupe_object_version", default=None
)


def _name_object_versions() -> None:
    """Adds `version-id` to the S3 events of versioned buckets, which MiniStack leaves out."""
    from ministack.services import eventbridge, s3

    fire, dispatch = s3._fire_s3_event, eventbridge._dispatch_event

    def fire_s3_event(*args: Any, **kwargs: Any) -> None:
        token = _object_version.set(kwargs.get("version_id"))
        try:
            fire(*args, **kwargs)
        finally:
            _object_version.reset(token)

    def dispatch_event(event: Json, view: Any = None) -> None:
        version = _object_version.get()
        if version and event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event, view = {**event, "Detail": json.dumps(detail)}, None
        dispatch(event, view)

    s3._fire_s3_event = fire_s3_event
    eventbridge._dispatch_event = dispatch_event


def _hash_code_once() -> None:
    """Spares hashing the code of every function at every save."""
    from ministack.services import lambda_svc

    write = lambda_svc._write_code_blob
    known: dict[int, tuple[bytes, str]] = {}  # holds the bytes, so that an id is not used again

    def write_code_blob(code: bytes) -> str:
        kept = known.get(id(code))
        if kept is None or not Path(lambda_svc.CODE_BLOB_DIR, f"{kept[1]}.zip").exists():
            if len(known) >= KNOWN_CODE:
                known.clear()  # mostly code of functions that have been replaced
            kept = known[id(code)] = (code, str(write(code)))
        return kept[1]

    lambda_svc._write_code_blob = write_code_blob


MACHINE = "AWS::StepFunctions::StateMachine"
MACHINE_POLL = 0.2
"""Seconds between two looks at what a state machine that is being deleted still runs."""


def _keep_machines_that_run() -> None:
    """Deletes a state machine when its executions have ended, as AWS does; MiniStack drops both.

    Until then it is DELETING and starts nothing, and CloudFormation waits for it.
    """
    from ministack.core.concurrency import spawn_background
    from ministack.core.responses import json_response
    from ministack.services import stepfunctions
    from ministack.services.cloudformation import provisioners, stacks

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
            time.sleep(MACHINE_POLL)

    stepfunctions._delete_state_machine = delete_state_machine
    stepfunctions._start_execution = _unless_deleting(stepfunctions._start_execution)
    stepfunctions._start_sync_execution = _unless_deleting(stepfunctions._start_sync_execution)
    provisioners._RESOURCE_HANDLERS[MACHINE]["delete"] = deleted
    stacks._runs_on_worker_thread = lambda kind: kind == MACHINE or on_thread(kind)


def _unless_deleting(start: Callable[[Json], Any]) -> Callable[[Json], Any]:
    """`start` an execution, unless its machine is being deleted."""
    from ministack.core.responses import error_response_json
    from ministack.services import stepfunctions

    def start_execution(data: Json) -> Any:
        arn = data.get("stateMachineArn")
        if stepfunctions._state_machines.get(arn, {}).get("status") == "DELETING":
            message = f"State Machine is being deleted: '{arn}'"
            return error_response_json("StateMachineDeleting", message, 400)
        return start(data)

    return start_execution


def _run_synchronously_under_names_of_their_own() -> None:
    """Lets two synchronous executions of one name run side by side, as AWS does.

    MiniStack keeps them by name, so that the first would be told that it still runs.
    """
    from ministack.core.responses import new_uuid
    from ministack.services import stepfunctions

    start = stepfunctions._start_sync_execution

    def start_sync_execution(data: Json) -> Any:
        return start({**data, "name": f"{data.get('name', '')}:{new_uuid()}"})

    stepfunctions._start_sync_execution = start_sync_execution


def _end_executions(machine_arn: str) -> None:
    """Waits until a machine runs nothing; an execution ends when it goes on to another state."""
    from ministack.services import stepfunctions

    def running() -> list[Json]:
        known = list(stepfunctions._executions.values())
        return [e for e in known if (e["stateMachineArn"], e["status"]) == (machine_arn, "RUNNING")]

    events = {execution["name"]: len(execution["events"]) for execution in running()}
    while executions := running():
        for execution in executions:
            if len(execution["events"]) > events.get(execution["name"], 0):
                cause = f"State machine {machine_arn} has been deleted."
                stepfunctions._fail_execution(execution, "States.Runtime", cause)
        time.sleep(MACHINE_POLL)


def _keep_what_is_needed_to_delete() -> None:
    """Keeps what a resource depends on that could not be deleted, so that it can be tried again.

    MiniStack would delete the function of a custom resource that has just answered with a failure.
    """
    from ministack.services import cloudformation
    from ministack.services.cloudformation import stacks

    delete = stacks._delete_resource

    def delete_resource(
        kind: str, identity: str, properties: Json, stack_name: str = "", logical_id: str = ""
    ) -> None:
        stack = cloudformation._stacks.get(stack_name) or {}
        resources = stack.get("_resources", {})
        definitions = stack.get("_template", {}).get("Resources", {})
        for name, resource in resources.items():
            if name != logical_id and resource.get("ResourceStatus") == "DELETE_FAILED":
                needed = stacks._with_dependencies([name], definitions, set(resources))
                if logical_id in needed:
                    raise ValueError(f"{name} needs it, which could not be deleted")
        delete(kind, identity, properties, stack_name, logical_id)

    stacks._delete_resource = delete_resource


def _keep_buckets_with_objects() -> None:
    """CloudFormation deletes empty buckets alone; MiniStack's deletes any."""
    from ministack.services import s3
    from ministack.services.cloudformation import provisioners

    def deleted(name: str, _properties: Json) -> None:
        status, _, body = s3._delete_bucket(name)
        if status == 409:
            raise ValueError(body.decode())

    provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]["delete"] = deleted
