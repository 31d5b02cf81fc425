"""EventBridge Scheduler, and the concurrency of the detection queue's event source."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from loupe.domain.keys import timestamp
from loupe.domain.schedules import Schedule, next_run

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import ScalingConfigTypeDef
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_scheduler.literals import ScheduleStateType

KEPT = (
    "Name",
    "GroupName",
    "FlexibleTimeWindow",
    "Target",
    "Description",
    "ScheduleExpressionTimezone",
)


class Schedules:
    """`client` is `boto3.client("scheduler")`."""

    def __init__(self, client: "EventBridgeSchedulerClient") -> None:
        self._client = client

    def next_run(self, name: str, now: datetime) -> str | None:
        """About when the schedule runs next, or None while it is off.

        A rate counts from the last change of the schedule; the service reports nothing closer.
        """
        schedule = self._client.get_schedule(Name=name)
        if schedule["State"] != "ENABLED":
            return None
        changed_at, expression = schedule["LastModificationDate"], schedule["ScheduleExpression"]
        return timestamp(next_run(changed_at, expression, now))

    def apply(self, name: str, schedule: Schedule) -> bool:
        """Give a schedule its rate and state; returns whether that changed anything.

        UpdateSchedule replaces the whole schedule and resets every field that it does not get.
        """
        current: Any = self._client.get_schedule(Name=name)
        state: ScheduleStateType = "ENABLED" if schedule.enabled else "DISABLED"
        if (current["State"], current["ScheduleExpression"]) == (state, schedule.rate):
            return False
        kept = {field: current[field] for field in KEPT if field in current}
        self._client.update_schedule(**kept, State=state, ScheduleExpression=schedule.rate)
        return True


class EventSource:
    """`client` is `boto3.client("lambda")`; `identity` the event source mapping's UUID."""

    def __init__(self, client: "LambdaClient", identity: str) -> None:
        self._client = client
        self._identity = identity

    def apply_concurrency(self, batches: int) -> bool:
        """Set how many batches run in parallel; returns whether that changed anything."""
        scaling: ScalingConfigTypeDef = {"MaximumConcurrency": batches}
        mapping = self._client.get_event_source_mapping(UUID=self._identity)
        if mapping.get("ScalingConfig", {}) == scaling:
            return False
        self._client.update_event_source_mapping(UUID=self._identity, ScalingConfig=scaling)
        return True
