"""Table stream -> SNS and EventBridge: publish each new event once."""

from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from loupe.correlation import batch_handler
from loupe.services.events import publish
from loupe.wiring import deps


def publish_record(record: DynamoDBRecord) -> None:
    """Publish an inserted item; the template's filter lets only events through."""
    item = record.dynamodb.new_image if record.dynamodb else None
    if item is not None and record.raw_event["eventName"] == "INSERT":
        publish(item, deps())


handler = batch_handler(EventType.DynamoDBStreams, publish_record)
"""A batch of stream records; answers which records are to be tried again."""
