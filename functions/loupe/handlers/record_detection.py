"""Record the outcome of reading an image, with its event."""

from loupe.correlation import JSON, correlated
from loupe.services.detection import record_outcome
from loupe.wiring import deps


@correlated
def handler(request: JSON, context: object) -> JSON:
    """`{"image", "state", "answer"?, "reason"?, "error"?, "minimum"?}` -> `{"state"}`."""
    return {"state": record_outcome(request, deps())}
