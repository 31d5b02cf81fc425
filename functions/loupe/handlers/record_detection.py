"""Record the outcome of reading an image, with its event."""

from typing import Any

from loupe.correlation import correlated
from loupe.services.detection import record_outcome
from loupe.wiring import deps


@correlated
def handler(request: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"image", "state", "answer"?, "reason"?, "error"?, "minimum"?}` -> `{"state"}`."""
    return {"state": record_outcome(request, deps())}
