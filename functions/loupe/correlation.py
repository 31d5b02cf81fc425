"""Add ids to every log line, which lead from an upload to the training that uses it.

An image's id is part of its review's id; a labelled image's line names the review, its manifest the
version. The logger adds `xray_trace_id`, which is the same in all steps of an execution.
"""

import posixpath
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from typing import Any

from aws_lambda_powertools.utilities import batch

from loupe.domain.human_loops import ended_loop, review_of
from loupe.domain.keys import REVIEW_PREFIX
from loupe.domain.object_events import changed_object
from loupe.errors import InvalidRequest
from loupe.services.payloads import image_from_json
from loupe.telemetry import logger

JSON = dict[str, Any]
Handler = Callable[[JSON, object], JSON]
PLAIN = ("review", "version", "execution")


def correlated(handler: Callable[[JSON, object], Any]) -> Handler:
    """A handler that logs the end of each call with the ids in its payload, and answers JSON."""

    @wraps(handler)
    def logged(payload: JSON, context: object) -> JSON:
        with logger.append_context_keys(step=_step(handler), **_payload_ids(payload)):
            try:
                result = handler(payload, context)
            except Exception:
                logger.exception("failed")
                raise
            logger.info("done")
            return result if isinstance(result, dict) else asdict(result)

    return logged


class Batch(batch.BatchProcessor):
    """A batch that logs every record that fails, with its ids."""

    def _process_record(self, record: JSON) -> Any:
        with logger.append_context_keys(**record_ids(record)):
            return super()._process_record(record)

    def failure_handler(self, record: Any, exception: Any) -> Any:
        """Log the exception; the record is tried again."""
        logger.error("failed; it is tried again", exc_info=exception)
        return super().failure_handler(record, exception)


def batch_handler(event_type: batch.EventType, handle: Callable[[Any], None]) -> Handler:
    """A handler that calls `handle` with each record of a batch; answers which to try again."""
    processor = Batch(event_type=event_type)

    def handler(event: JSON, context: Any) -> Any:
        return batch.process_partial_response(event, handle, processor, context)

    return handler


def record_ids(record: JSON) -> dict[str, str]:
    """The ids that a raw record of a queue or of the table's stream names."""
    if "body" in record:
        return {"message_id": record["messageId"], **_message_ids(record["body"])}
    image = record["dynamodb"].get("NewImage", {})
    fields = {"event_id": "id", "event_type": "type", "image": "about"}
    return {name: image[field]["S"] for name, field in fields.items() if field in image}


def _message_ids(body: str) -> dict[str, str]:
    try:
        ended, changed = ended_loop(body), changed_object(body)
    except InvalidRequest:
        return {}  # The handler of the record raises it.
    if ended:
        return {"review": review_of(ended.name)}
    if changed is None:
        return {}
    if changed.key.startswith(REVIEW_PREFIX):
        loop = posixpath.basename(posixpath.dirname(changed.key))
        return {"review": review_of(loop), "key": changed.key}
    return {"image": changed.id, "key": changed.key}


def _payload_ids(payload: JSON) -> dict[str, str]:
    ids = {name: payload[name] for name in PLAIN if payload.get(name)}
    if "image" in payload:
        image = image_from_json(payload["image"])
        ids |= {"image": image.id, "key": image.key}
    return ids


def _step(handler: Callable[[JSON, object], Any]) -> str:
    return handler.__module__.rpartition(".")[2]
