"""Table stream -> SNS and EventBridge: publish what has been written as an event, once."""

from typing import Any

from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from loupe.adapters.items import plain
from loupe.correlation import stream_batch
from loupe.telemetry import METERED_EVENTS, meter
from loupe.wiring import deps

PUBLISHED = ("id", "type", "at", "subject", "text", "detail")

processor = stream_batch()


def handler(event: dict[str, Any], context: Any) -> Any:
    """A batch of stream records; the template's filter lets only new event items through."""
    return process_partial_response(event, publish, processor, context)


def publish(record: DynamoDBRecord) -> None:
    """One new event item."""
    image = record.dynamodb.new_image if record.dynamodb else None
    if image is None or record.raw_event["eventName"] != "INSERT":
        return
    event = {name: plain(image[name]) for name in PUBLISHED}
    deps().publisher.publish(event)
    if event["type"] in METERED_EVENTS:
        meter(deps().value("STACK"), event["type"], 1)
