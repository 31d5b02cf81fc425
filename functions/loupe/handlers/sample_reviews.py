"""Send every n-th detection to people, to measure how good the model in service is."""

from typing import Any

from loupe.services.sampling import sample_reviews
from loupe.wiring import deps


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A scheduled event -> `{"sampled": n}`."""
    return {"sampled": sample_reviews(deps())}
