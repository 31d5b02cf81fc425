"""Drops what nobody looks at any more, so that neither memory nor saving grows for ever."""

from datetime import UTC, datetime, timedelta

from ministack.services import cloudwatch_logs, eventbridge, stepfunctions

EXECUTIONS = 300
"""Finished executions that are kept. MiniStack would keep, and save, every one there ever was."""
SYNCHRONOUS_SECONDS = 60
"""How long a finished synchronous execution is kept; AWS does not show them at all."""
LOG_EVENTS = 5000
"""Log events that are kept of each group."""
EVENTS = 1000
"""Events that are kept for inspection, of each account."""


def trim() -> None:
    """Drops old executions, log events and events."""
    _trim_executions()
    _trim_logs()
    _trim_events()


def _trim_executions() -> None:
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
    dropped_ids: set[str] = set()
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
            dropped_ids.update(event["eventId"] for event in dropped if "eventId" in event)
    records = cloudwatch_logs._log_records._data
    for key in [key for key in list(records) if key[-1] in dropped_ids] if dropped_ids else []:
        records.pop(key, None)


def _trim_events() -> None:
    for entries in list(eventbridge._events_log._data.values()):
        del entries[:-EVENTS]
