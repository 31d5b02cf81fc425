"""The data that state machines pass from step to step, as JSON and as types."""

from collections.abc import Mapping
from typing import Any

from loupe.adapters.items import from_item, to_item
from loupe.domain.detection import ModelOutput
from loupe.domain.keys import ImageRef


def output_to_json(output: ModelOutput) -> dict[str, Any]:
    """The model's output, with its top confidence, by which the state machine decides."""
    return to_item(output) | {"top": output.top}


def output_from_json(payload: Mapping[str, Any]) -> ModelOutput:
    """The inverse of `output_to_json`."""
    return from_item(ModelOutput, payload, "The answer of a state machine")


def image_from_json(payload: Mapping[str, Any]) -> ImageRef:
    """The image that a step works on."""
    return from_item(ImageRef, payload, "The image of a state machine")
