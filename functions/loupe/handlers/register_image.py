"""Register labelled images that were added, replaced or removed."""

from aws_lambda_powertools.utilities.batch import EventType

from loupe.correlation import batch_handler
from loupe.services.labelled_images import register
from loupe.wiring import deps

handler = batch_handler(EventType.SQS, lambda record: register(record.body, deps()))
"""An SQS batch of S3 events; answers which messages are to be tried again."""
