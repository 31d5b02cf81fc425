"""Events of objects: with the version, and in their queues before the reply leaves."""

import contextvars
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ministack.core import responses
from ministack.services import eventbridge, s3

from loupe_local.http.wire import Json

logger = logging.getLogger("loupe.s3")

WRITTEN_WITHIN = 1.0
"""Seconds by which the clock of files may be behind this process's."""
SIDECAR = ".meta.json"
"""How the name of the file ends that MiniStack keeps beside each object."""

_object_version: contextvars.ContextVar[str | None] = contextvars.ContextVar(
    "loupe_object_version", default=None
)


def apply() -> None:
    """Apply both changes."""
    _name_object_versions()
    _announce_objects_before_the_reply()


def _name_object_versions() -> None:
    """Adds `version-id` to the S3 events of versioned buckets, which MiniStack leaves out."""
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


def _announce_objects_before_the_reply() -> None:
    """Puts an object's event into its queues before the request is answered, not some time after.

    So the commit before the reply covers the event with the object.
    """

    def fire(bucket: str, key: str, event: str, *args: Any, **options: Any) -> None:
        if bucket in s3._bucket_notifications:
            options["sequencer"] = s3._next_event_sequencer(event)
            s3._fire_s3_event(bucket, key, event, *args, **options)

    s3._fire_s3_event_async = fire


def announce_again(objects: Path, committed_at: float) -> None:
    """Sends the events of objects that were written or deleted since the journal's last commit.

    An object is on disk before its event is committed: a crash between the two leaves one that
    nobody acknowledged and nobody heard of. An event may so be sent twice, as in AWS.
    """
    for account, bucket, sidecar in _sidecars(objects):
        if sidecar.stat().st_mtime < committed_at - WRITTEN_WITHIN:
            continue
        state = json.loads(sidecar.read_text())
        key = state.get("key")
        logger.info("the event of %s in %s is sent again", key, bucket)
        responses.set_request_account_id(account)
        event, details = _event_of(state)
        s3._fire_s3_event_async(bucket, key, event, version_id=state.get("version_id"), **details)


def _event_of(state: Json) -> tuple[str, Json]:
    """The type and details of the event of an object, by what is kept beside it."""
    if state.get("is_delete_marker"):
        marker = {"deletion_type": "Delete Marker Created"}
        return "s3:ObjectRemoved:DeleteMarkerCreated", marker
    return "s3:ObjectCreated:Put", {"size": state.get("size", 0), "etag": state.get("etag", "")}


def _sidecars(objects: Path) -> Iterator[tuple[str, str, Path]]:
    """Account, bucket and file of what is kept beside each object."""
    for account in objects.glob("[0-9]*"):
        for bucket in account.iterdir():
            for folder, _, names in os.walk(bucket):
                for name in names:
                    if name.endswith(SIDECAR):
                        yield account.name, bucket.name, Path(folder, name)
