"""Take in the results of reviews: answers, and ends of human loops."""

from aws_lambda_powertools.utilities.batch import EventType

from loupe.correlation import batch_handler
from loupe.services.review_answers import take_in
from loupe.wiring import deps

handler = batch_handler(EventType.SQS, lambda record: take_in(record.body, deps()))
"""An SQS batch of S3 events of `output.json` objects and of Amazon A2I's status changes."""
