"""A person answers a review in Loupe itself."""

from typing import Any

from loupe.correlation import correlated
from loupe.services.review_desk import AnswerRequest, try_answer
from loupe.wiring import deps


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"review", "worker", "label"}` -> `{"state"}`, or `{"error"}` for a person to read."""
    request = AnswerRequest(payload["review"], payload["worker"], payload["label"])
    return try_answer(request, deps())
