"""Take in reports of wrong answers that other applications send."""

from aws_lambda_powertools.utilities.batch import EventType

from loupe.correlation import batch_handler
from loupe.services.reports import take_in
from loupe.wiring import deps

handler = batch_handler(EventType.SQS, lambda record: take_in(record.body, deps()))
"""An SQS batch of reports, `{"image", "label"?, "by"?}` each."""
