"""EventBridge Scheduler, and the concurrency of the detection queue's event source."""

from datetime import datetime
from typing import Any

from loupe.domain.keys import timestamp
from loupe.domain.schedules import Schedule, next_run

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

    def __init__(self, client: Any) -> None:
        self._client = client

    def next_run(self, name: str, now: datetime) -> str | None:
        """About when the schedule runs next, or None while it is off.

        A rate counts from when the schedule was changed last; the service does not say more.
        """
        found = self._client.get_schedule(Name=name)
        if found["State"] != "ENABLED":
            return None
        return timestamp(next_run(found["LastModificationDate"], found["ScheduleExpression"], now))

    def apply(self, name: str, wanted: Schedule) -> bool:
        """Give a schedule its rate and state; returns whether that changed anything.

        UpdateSchedule replaces the whole schedule: what is left out would be reset.
        """
        found = self._client.get_schedule(Name=name)
        state = "ENABLED" if wanted.enabled else "DISABLED"
        if (found["State"], found["ScheduleExpression"]) == (state, wanted.rate):
            return False
        kept = {field: found[field] for field in KEPT if field in found}
        self._client.update_schedule(**kept, State=state, ScheduleExpression=wanted.rate)
        return True


class EventSource:
    """`client` is `boto3.client("lambda")`; `identity` the event source mapping's UUID."""

    def __init__(self, client: Any, identity: str) -> None:
        self._client = client
        self._identity = identity

    def apply_concurrency(self, wanted: int) -> bool:
        """Set how many batches are worked on at a time; returns whether that changed anything."""
        found = self._client.get_event_source_mapping(UUID=self._identity)
        if found.get("ScalingConfig", {}).get("MaximumConcurrency") == wanted:
            return False
        self._client.update_event_source_mapping(
            UUID=self._identity, ScalingConfig={"MaximumConcurrency": wanted}
        )
        return True
