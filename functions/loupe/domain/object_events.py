"""S3's events as EventBridge delivers them, by way of a queue."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from loupe.domain.keys import ImageRef, is_folder_marker, timestamp
from loupe.errors import InvalidRequest


def changed_object(body: str) -> ImageRef | None:
    """The object that a queued event speaks of, or None for what needs no work.

    No work: S3's test event, other kinds of events, and markers of empty folders. Raises
    InvalidRequest for a text that is no event at all; such a message ends in the dead-letter
    queue, where it can be looked at.
    """
    try:
        event = json.loads(body)
        if "detail" not in event or event.get("source") != "aws.s3":
            return None
        return _image(event["detail"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidRequest(f"This message is no S3 event ({error!r}): {body[:500]}") from error


def arrived_at(body: str) -> str:
    """When the object of a queued event arrived, as `timestamp` writes it; "" if it is not said."""
    at = json.loads(body).get("time")
    return timestamp(datetime.fromisoformat(at).astimezone(UTC)) if at else ""


def s3_event(bucket: str, key: str, **found: Any) -> dict[str, Any]:
    """The `Object Created` event of an object, as EventBridge delivers it."""
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": bucket}, "object": {"key": key, **found}},
    }


def _image(detail: Mapping[str, Any]) -> ImageRef | None:
    found = detail["object"]
    if is_folder_marker(found["key"], found.get("size", 0)):
        return None
    return ImageRef(
        bucket=detail["bucket"]["name"],
        key=found["key"],
        version=found.get("version-id", ""),
        etag=found.get("etag", ""),
        size=found.get("size", 0),
    )
