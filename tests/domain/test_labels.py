"""Business rule: what reviewers see of a label fits beside the image."""

import pytest

from loupe.domain.labels import LONGEST_DESCRIPTION, MOST_REFERENCES, LabelNote, check_note
from loupe.errors import InvalidRequest


def test_the_longest_description_and_most_references_are_allowed() -> None:
    note = LabelNote("cat", "x" * LONGEST_DESCRIPTION, ("1",) * MOST_REFERENCES)

    assert check_note(note) is note


@pytest.mark.parametrize(
    ("note", "words"),
    [
        (LabelNote("cat", "x" * (LONGEST_DESCRIPTION + 1)), "not 501"),
        (LabelNote("cat", "", ("1",) * (MOST_REFERENCES + 1)), "at most 4 reference images"),
    ],
)
def test_more_is_refused_in_words(note: LabelNote, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        check_note(note)
