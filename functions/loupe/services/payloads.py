"""What the state machines hand from step to step, as JSON and as types."""

from collections.abc import Mapping
from typing import Any

from loupe.adapters.items import from_item, to_item
from loupe.domain.detection import ModelOutput
from loupe.domain.keys import ImageRef


def output_to_json(answer: ModelOutput) -> dict[str, Any]:
    """An answer, with what the state machine decides on: its outcome and top confidence."""
    return to_item(answer) | {"top": answer.top}


def output_from_json(payload: Mapping[str, Any]) -> ModelOutput:
    """The answer that `output_to_json` made."""
    return from_item(ModelOutput, payload, "The answer of a state machine")


def image_from_json(payload: Mapping[str, Any]) -> ImageRef:
    """The image that a step works on."""
    return from_item(ImageRef, payload, "The image of a state machine")
