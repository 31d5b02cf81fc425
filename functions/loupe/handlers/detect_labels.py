"""Ask the model in service what an image shows."""

from typing import Any

from loupe.adapters.payloads import answer_to_json, image_from_json
from loupe.correlation import correlated
from loupe.domain.detection import Answer
from loupe.domain.fingerprint import MAX_BYTES, UnreadableImage, check_image
from loupe.domain.places import ImageRef
from loupe.errors import NotFound, TryAgain, UnusableImage
from loupe.wiring import Deps, deps


@correlated
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"image": ...}` -> an answer. Raises TryAgain while the model is busy or starts."""
    return answer_to_json(read(image_from_json(event["image"]), deps()))


def read(image: ImageRef, deps: Deps) -> Answer:
    """The model's answer; "rejected" for what is no usable image, "no_model" before the first."""
    if image.size > MAX_BYTES:
        return Answer("rejected", reason=_too_large(image))
    try:
        check_image(deps.objects.read(image.key, image.version))
    except (UnreadableImage, NotFound) as error:
        return Answer("rejected", reason=str(error))
    service = deps.versions.service()
    if not service.version:
        return Answer("no_model", reason="there is no model yet")
    try:
        labels = deps.rekognition.detect(service.arn, image)
    except UnusableImage as error:
        return Answer("rejected", reason=str(error))
    except NotFound as error:
        raise TryAgain(f"{service.version} was deleted from Rekognition: {error}") from error
    return Answer("labels", labels, service.version)


def _too_large(image: ImageRef) -> str:
    return (
        f"it has {image.size / 2**20:.1f} MB, and the most that can be read is "
        f"{MAX_BYTES // 2**20} MB: make it smaller"
    )
