"""Queue -> detect: record that an image has arrived and run the detect machine on it."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from loupe.correlation import queue_batch
from loupe.domain.detection import WAITING
from loupe.domain.object_events import changed_object
from loupe.domain.places import ImageRef, stamp
from loupe.errors import AlreadyDone
from loupe.telemetry import logger
from loupe.wiring import Deps, deps

processor = queue_batch()


def handler(event: dict[str, Any], context: Any) -> Any:
    """An SQS batch of S3 events; answers which messages are to be tried again."""
    return process_partial_response(event, dispatch, processor, context)


def dispatch(record: SQSRecord) -> None:
    """One message: at least once delivery, so an image that has been read is left alone."""
    image = changed_object(record.body)
    if image is None:
        logger.info("a message that needs no work", extra={"body": record.body[:500]})
        return
    if receive(image, deps()):
        machine = deps().value("DETECT_MACHINE")
        deps().executions.run(machine, image.id, {"image": asdict(image)})


def receive(image: ImageRef, deps: Deps) -> bool:
    """Make sure that the image has a record; returns whether it is still to be read."""
    try:
        deps.detections.receive(image, stamp(deps.clock()))
    except AlreadyDone:
        known = deps.detections.get(image.id)
        return known is not None and known.state == WAITING
    return True
