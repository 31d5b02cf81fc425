"""The logger of a process, and the metrics that alarms and the dashboard look at."""

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "Loupe"
IMAGES_WAITING = "ImagesWaitingForModel"
OLDEST_REVIEW_HOURS = "OldestReviewHours"
INFERENCE_UNITS = "InferenceUnits"
HOUSEKEEPING_FAILED = "HousekeepingPartsFailed"
SAMPLING_BEHIND_HOURS = "SamplingBehindHours"
METERED_EVENTS = (
    "ImageAccepted",
    "ImageSentToReview",
    "ImageAnswered",
    "ImageFailed",
    "TrainingFailed",
)
"""Event types that are counted as metrics; few, because each costs a custom metric."""

logger = Logger(service="loupe")


def meter(stack: str, name: str, value: float) -> None:
    """Write one value of a metric of `stack` to the log, where CloudWatch reads it."""
    with single_metric(
        name=name, unit=MetricUnit.NoUnit, value=value, namespace=NAMESPACE
    ) as metric:
        metric.add_dimension(name="stack", value=stack)
