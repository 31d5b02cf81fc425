"""Queue -> detect: record that an image has arrived and run the detect machine on it."""

from dataclasses import asdict, replace
from typing import Any

from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from loupe.adapters.executions import ExecutionFailed
from loupe.correlation import queue_batch
from loupe.domain.detection import FAILED, MOST_FAILURES, WAITING
from loupe.domain.object_events import arrived_at, changed_object
from loupe.domain.places import ImageRef, stamp
from loupe.errors import AlreadyDone, TryAgain
from loupe.handlers.record_detection import NO_ANSWER, decide, record
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
    if receive(image, arrived_at(record.body), deps()):
        read(image, deps())


def read(image: ImageRef, deps: Deps) -> None:
    """Run the detect machine; raises ExecutionFailed when it takes too long or ends with an error
    that it does not know, so that the message is tried again and ends among the dead letters.

    An image that met a passing fault, such as throttling, waits: the housekeeping queues it again,
    without an end.
    """
    try:
        deps.executions.run(deps.value("DETECT_MACHINE"), image.id, {"image": asdict(image)})
    except TryAgain as error:
        logger.warning("the image waits", extra={"image": image.key, "error": str(error)})
        record(image.id, WAITING, NO_ANSWER, "Loupe's functions or a service are busy", deps)
    except ExecutionFailed as error:
        count_failure(image, f"reading it ended with {error}", deps)
        raise


def receive(image: ImageRef, at: str, deps: Deps) -> bool:
    """Make sure that the image has a record; returns whether it is still to be read.

    `at` is when it arrived, which may be long before its message is worked on; "" if unknown.
    """
    try:
        deps.detections.receive(image, at or stamp(deps.clock()))
    except AlreadyDone:
        known = deps.detections.get(image.id)
        return known is not None and known.state == WAITING
    return True


def count_failure(image: ImageRef, reason: str, deps: Deps) -> None:
    """Business rule: an image whose reading ends badly time and again has failed.

    The record counts, not the message: as long as an image waits, the housekeeping makes new
    messages for it, and the model runs. `failed` is the state that ends both, that the operator is
    told of once, and that 'loupe replay' and the button Read again bring back.
    """
    before = deps.detections.get(image.id)
    if before is None or before.state != WAITING:
        return  # Another run was faster.
    failing = replace(before, failures=before.failures + 1)
    state = FAILED if failing.failures >= MOST_FAILURES else WAITING
    after, told = decide(failing, state, NO_ANSWER, reason, deps.clock())
    is_news = (after.state, after.reason) != (before.state, before.reason)
    try:
        deps.detections.move(after, WAITING, [told] if is_news else [])
    except AlreadyDone:
        logger.info("another run was faster", extra={"image": image.key})
