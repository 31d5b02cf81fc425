"""Ask people what an image shows."""

from typing import Any

from loupe.correlation import correlated
from loupe.domain.settings import Settings
from loupe.services.payloads import image_from_json, output_from_json
from loupe.services.reviews import ReviewRequest, request_review
from loupe.wiring import deps


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"image", "answer", "settings": {name: value}}` -> `{"state"}`."""
    request = ReviewRequest(
        image_from_json(payload["image"]).id,
        output_from_json(payload["answer"]),
        Settings.from_parameters(payload["settings"]),
    )
    return {"state": request_review(request, deps())}
