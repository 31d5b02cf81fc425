"""What reviewers read of a label, and images that wait for a label of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from loupe.domain.keys import ImageRef
from loupe.errors import InvalidRequest

LONGEST_DESCRIPTION = 500
MOST_REFERENCES = 4
"""More do not fit beside the image that is looked at."""


@dataclass(frozen=True)
class LabelNote:
    """What reviewers see of a label: a text, and labelled images by their ids."""

    label: str
    description: str = ""
    references: tuple[str, ...] = ()
    by: str = ""
    at: str = ""


@dataclass(frozen=True)
class UnlabelledImage:
    """An image of which people said that no label fits; it waits for a label that does.

    `scores` are the model's confidences by label; `signature` is that of its fingerprint, in
    Base64, or "".
    """

    image: ImageRef
    at: str
    review: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    signature: str = ""


def check_note(note: LabelNote) -> LabelNote:
    """Return `note` if reviewers can be shown it, else raise InvalidRequest."""
    if len(note.description) > LONGEST_DESCRIPTION:
        raise InvalidRequest(
            f"A description has at most {LONGEST_DESCRIPTION} characters, not "
            f"{len(note.description)}: say what tells {note.label!r} from its neighbours."
        )
    if len(note.references) > MOST_REFERENCES:
        raise InvalidRequest(
            f"A label has at most {MOST_REFERENCES} reference images: choose those."
        )
    return note
