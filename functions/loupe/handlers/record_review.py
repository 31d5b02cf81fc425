"""Take in what came of reviews: answers, and ends of human loops."""

from typing import Any

from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from loupe.correlation import queue_batch
from loupe.services.review_answers import take_in
from loupe.wiring import deps

processor = queue_batch()


def handler(event: dict[str, Any], context: Any) -> Any:
    """An SQS batch of S3 events of `output.json` objects and of Amazon A2I's status changes."""

    def record_review(record: SQSRecord) -> None:
        take_in(record.body, deps())

    return process_partial_response(event, record_review, processor, context)
