"""S3's events as EventBridge delivers them through a queue."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from loupe.domain.keys import ImageRef, is_folder_marker, timestamp
from loupe.errors import InvalidRequest


def changed_object(body: str) -> ImageRef | None:
    """The object of a queued event, or None for an event that needs no work.

    No work: S3's test event, other kinds of events, and markers of empty folders. Raises
    InvalidRequest for a text that is no event; such a message ends in the dead-letter queue.
    """
    try:
        event = json.loads(body)
        if "detail" not in event or event.get("source") != "aws.s3":
            return None
        return _image(event["detail"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidRequest(f"This message is no S3 event ({error!r}): {body[:500]}") from error


def arrived_at(body: str) -> str:
    """When the object of a queued event arrived, as `timestamp` writes it; "" if unknown."""
    at = json.loads(body).get("time")
    return timestamp(datetime.fromisoformat(at).astimezone(UTC)) if at else ""


def s3_event(bucket: str, key: str, **attributes: Any) -> dict[str, Any]:
    """The `Object Created` event of an object, as EventBridge delivers it."""
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": bucket}, "object": {"key": key, **attributes}},
    }


def _image(detail: Mapping[str, Any]) -> ImageRef | None:
    s3_object, size = detail["object"], detail["object"].get("size", 0)
    if is_folder_marker(s3_object["key"], size):
        return None
    return ImageRef(
        bucket=detail["bucket"]["name"],
        key=s3_object["key"],
        version=s3_object.get("version-id", ""),
        etag=s3_object.get("etag", ""),
        size=size,
    )
