"""Ask people what an image shows."""

from loupe.correlation import JSON, correlated
from loupe.domain.settings import Settings
from loupe.services.payloads import image_from_json, output_from_json
from loupe.services.reviews import request_review
from loupe.wiring import deps


@correlated
def handler(payload: JSON, context: object) -> JSON:
    """`{"image", "answer", "settings": {name: value}}` -> `{"state"}`."""
    image, output = image_from_json(payload["image"]), output_from_json(payload["answer"])
    settings = Settings.from_parameters(payload["settings"])
    return {"state": request_review(image.id, output, settings, deps())}
