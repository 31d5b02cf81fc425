"""What the state machines hand from step to step, as JSON and as types."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from loupe.domain.detection import Answer, Label
from loupe.domain.places import ImageRef


def answer_to_json(answer: Answer) -> dict[str, Any]:
    """An answer, with what the state machine decides on: its outcome and top confidence."""
    return asdict(answer) | {"top": answer.top}


def answer_from_json(payload: Mapping[str, Any]) -> Answer:
    """The answer that `answer_to_json` made."""
    return Answer(
        outcome=payload["outcome"],
        labels=tuple(Label(**label) for label in payload["labels"]),
        version=payload["version"],
        reason=payload["reason"],
    )


def image_from_json(payload: Mapping[str, Any]) -> ImageRef:
    """The image that a step works on."""
    return ImageRef(**payload)
