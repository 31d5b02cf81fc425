"""Table stream -> SNS and EventBridge: publish what has been written as an event, once."""

from typing import Any

from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from loupe.correlation import stream_batch
from loupe.services.events import publish
from loupe.wiring import deps

processor = stream_batch()


def handler(event: dict[str, Any], context: Any) -> Any:
    """A batch of stream records; the template's filter lets only new event items through."""

    def take_in(record: DynamoDBRecord) -> None:
        image = record.dynamodb.new_image if record.dynamodb else None
        if image is not None and record.raw_event["eventName"] == "INSERT":
            publish(image, deps())

    return process_partial_response(event, take_in, processor, context)
