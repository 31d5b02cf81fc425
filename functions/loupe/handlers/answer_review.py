"""A person answers a review in Loupe itself."""

from loupe.correlation import JSON, correlated
from loupe.services.review_desk import try_answer
from loupe.wiring import deps


@correlated
def handler(payload: JSON, context: object) -> JSON:
    """`{"review", "worker", "label"}` -> `{"state"}`, or `{"error"}` for a person to read."""
    return try_answer(payload["review"], payload["worker"], payload["label"], deps())
