"""Register labelled images that came, changed or went."""

from typing import Any

from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from loupe.correlation import queue_batch
from loupe.services.labelled_images import register
from loupe.wiring import deps

processor = queue_batch()


def handler(event: dict[str, Any], context: Any) -> Any:
    """An SQS batch of S3 events; answers which messages are to be tried again."""

    def take_in(record: SQSRecord) -> None:
        register(record.body, deps())

    return process_partial_response(event, take_in, processor, context)
