"""Queue -> detect: record that an image has arrived and run the detect machine on it."""

from typing import Any

from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from loupe.correlation import queue_batch
from loupe.services.detection import dispatch
from loupe.wiring import deps

processor = queue_batch()


def handler(event: dict[str, Any], context: Any) -> Any:
    """An SQS batch of S3 events; answers which messages are to be tried again."""

    def take_in(record: SQSRecord) -> None:
        dispatch(record.body, deps())

    return process_partial_response(event, take_in, processor, context)
