"""Ask the model in service what an image shows."""

from loupe.correlation import JSON, correlated
from loupe.services.detection import detect
from loupe.services.payloads import image_from_json, output_to_json
from loupe.wiring import deps


@correlated
def handler(event: JSON, context: object) -> JSON:
    """`{"image": ...}` -> the model's output. Raises TryAgain while the model is busy or starts."""
    return output_to_json(detect(image_from_json(event["image"]), deps()))
