"""Business rule: an event says in words what happened, to what, why, and what to do."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loupe.domain.events import TEXTS, make_event

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LABEL = {"name": "große Katze", "confidence": 93.25, "by": "model"}
DETAIL: Mapping[str, Any] = {
    "image": "für Änne/a b+1.png",
    "key": "images_for_detection/für Änne/a b+1.png",
    "label": "große Katze",
    "labels": [LABEL],
    "version": "v2",
    "previous": "v1",
    "reason": "it is so.",
    "review": "unsure-0123",
    "answer": "große Katze",
    "answers": ["cat", "dog"],
    "other": ["images_labeled_by_folder/dog/1.png"],
    "split": "training",
    "count": 10,
    "guess": "dog",
    "settled": 12,
    "agreed": 3,
    "samples": 4,
    "by": "line 3",
    "reviewer": "ada",
    "reliability": 0.68,
    "minimum": 0.7,
    "since": "2026-03-14T08:02:11.120Z",
    "reference": "the holdout",
    "distance": 0.48,
    "chance": "2e-08",
    "images": ["a.png"],
    "confirmed": 1,
    "reports": 2,
    "training_images": 40,
    "holdout_images": 10,
    "f1": 0.91234,
    "needed": 20,
    "next": "People are asked again.",
    "bill": "A running model is billed by the hour",
}


def fields(kind: str) -> set[str]:
    texts = TEXTS[kind]
    return {name for _, name, _, _ in Formatter().parse(texts.subject + texts.text) if name}


@pytest.mark.parametrize("kind", TEXTS)
def test_every_event_reads_as_text(kind: str) -> None:
    told = make_event(kind, "cause", NOW, **{name: DETAIL[name] for name in fields(kind)})

    assert told.type == kind
    assert told.subject
    assert len(told.subject) <= 100
    assert told.text.rstrip().endswith((".", "?"))
    for text in (told.subject, told.text):
        assert not re.search(r"[{}\[\]]|None|\.\.(\s|$)", text), text


def test_labels_read_as_names_with_their_confidence() -> None:
    told = make_event("ImageAccepted", "c", NOW, **DETAIL)

    assert "found große Katze (93.25 %) in für Änne/a b+1.png" in told.text


@given(st.text(min_size=1, max_size=300))
def test_a_subject_is_one_line_of_at_most_a_hundred_characters(name: str) -> None:
    told = make_event("ImageRejected", "c", NOW, image=name, reason="why")

    assert len(told.subject) <= 100
    assert "\n" not in told.subject


def test_a_name_with_braces_is_shown_and_not_filled_in() -> None:
    told = make_event("ImageRejected", "c", NOW, image="{reason}.png", reason="why")

    assert told.subject == "{reason}.png cannot be used"


def test_a_reason_that_is_a_sentence_ends_with_one_full_stop() -> None:
    told = make_event(
        "ImageRejected", "c", NOW, image="a.png", reason="It is empty. Upload it again."
    )

    assert told.text.endswith("Upload it again.")
    assert not told.text.endswith("..")


def test_the_same_cause_is_the_same_event_whenever_it_is_told() -> None:
    first = make_event("ImageRejected", "image 1", NOW, image="a", reason="why")
    later = make_event("ImageRejected", "image 1", NOW.replace(year=2027), image="a", reason="why")

    assert first.id == later.id
    assert first.id != make_event("ImageRejected", "image 2", NOW, image="a", reason="why").id
    assert first.id != make_event("ImageUnsure", "image 1", NOW, image="a", reason="why").id


def test_a_first_version_is_promoted_without_offering_a_way_back_that_there_is_not() -> None:
    told = make_event("VersionPromoted", "c", NOW, **{**DETAIL, "previous": ""})

    assert "rollback nothing" not in told.text
    assert "from nothing" in told.text
