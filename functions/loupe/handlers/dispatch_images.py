"""Queue -> detect: record that an image has arrived and run the detect machine on it."""

from aws_lambda_powertools.utilities.batch import EventType

from loupe.correlation import batch_handler
from loupe.services.detection import dispatch
from loupe.wiring import deps

handler = batch_handler(EventType.SQS, lambda record: dispatch(record.body, deps()))
"""An SQS batch of S3 events; answers which messages are to be tried again."""
