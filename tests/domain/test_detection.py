"""Business rule: every label that the model gives is kept, and the surest one decides."""

from dataclasses import asdict

import pytest

from loupe.adapters.detections import detection_of
from loupe.domain.detection import (
    NOT_READ,
    Detection,
    DetectionState,
    Label,
    ModelOutput,
    model_labels,
    person_label,
    why_unsure,
)
from loupe.domain.keys import NONE_OF_THE_ABOVE, ImageRef
from loupe.errors import InvalidRequest
from loupe.services.payloads import image_from_json, output_from_json, output_to_json

BOX = {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4}
IMAGE = ImageRef("b", "images_for_detection/a b.png", "v", "e", 5)


def test_all_labels_are_kept_the_surest_first() -> None:
    found = model_labels(
        [{"Name": "dog", "Confidence": 12.345678}, {"Name": "cat", "Confidence": 80}]
    )

    assert found == (Label("cat", 80.0), Label("dog", 12.35))


def test_an_object_found_twice_keeps_both_boxes() -> None:
    found = model_labels(
        [
            {"Name": "cat", "Confidence": 80, "Geometry": {"BoundingBox": BOX}},
            {"Name": "cat", "Confidence": 70, "Geometry": {"BoundingBox": BOX | {"Left": 0.5}}},
        ]
    )

    assert [label.box and label.box["left"] for label in found] == [0.1, 0.5]


def test_an_empty_answer_is_below_every_minimum() -> None:
    assert ModelOutput("labels").top < 0
    assert ModelOutput("labels", (Label("cat", 0.0),)).top == 0.0


def test_the_reason_names_the_surest_label_and_the_minimum() -> None:
    answer = ModelOutput("labels", (Label("cat", 40.5),))

    assert why_unsure(answer, 70.0) == (
        "the surest label is cat with 40.5 %, below the minimum of 70 %"
    )
    assert "none of its labels" in why_unsure(ModelOutput("labels"), 70.0)


def test_an_answer_passes_through_the_state_machine_unchanged() -> None:
    answer = ModelOutput(
        "labels", (Label("日本", 40.5, box={"left": 0.1}), Label("dog", 1.0)), "v1", "why"
    )

    payload = output_to_json(answer)

    assert payload["top"] == 40.5
    assert output_from_json(payload) == answer


def test_an_image_passes_through_the_state_machine_unchanged() -> None:
    assert image_from_json(vars(IMAGE)) == IMAGE


def test_that_no_label_fits_is_the_answer_and_stands_before_the_guess() -> None:
    read = Detection(IMAGE, DetectionState.REVIEW, "2026", (Label("cat", 40.0),))

    answered = read.answered(NONE_OF_THE_ABOVE, "a person said so")

    assert answered.state == DetectionState.ANSWERED
    assert answered.none_of_the_above
    assert answered.as_json()["labels"][0] == {
        "name": "none of the above",
        "confidence": 100.0,
        "by": "person",
    }
    assert not read.answered("cat", "a person said so").none_of_the_above


def test_the_answer_none_of_the_above_of_an_older_release_is_read_as_the_first_label() -> None:
    stored = asdict(Detection(IMAGE, DetectionState.ANSWERED, "2026", (Label("cat", 40.0),)))
    stored["none_of_the_above"] = True

    read = detection_of(stored)

    assert [label.name for label in read.labels] == [NONE_OF_THE_ABOVE, "cat"]
    assert detection_of(asdict(read)) == read


@pytest.mark.parametrize("state", NOT_READ)
def test_an_image_that_was_not_read_waits_again_as_it_came(state: DetectionState) -> None:
    ended = Detection(IMAGE, state, "2026", reason="why")

    again = ended.read_again()

    assert again == Detection(IMAGE, DetectionState.WAITING, "2026", repeats=1)
    assert again.attempt != ended.attempt


@pytest.mark.parametrize("state", sorted(set(DetectionState) - set(NOT_READ)))
def test_an_image_that_was_read_is_not_read_again(state: DetectionState) -> None:
    with pytest.raises(InvalidRequest, match=f"'a b.png' is {state}"):
        Detection(IMAGE, state, "2026").read_again()


def test_a_listing_shows_who_gave_a_label_and_a_box_where_there_is_one() -> None:
    detection = Detection(
        IMAGE,
        DetectionState.ANSWERED,
        "2026",
        (person_label("cat"), Label("dog", 40.0, box={"left": 0.1})),
    )

    shown = detection.as_json()

    assert shown["image"] == "a b.png"
    assert shown["labels"] == [
        {"name": "cat", "confidence": 100.0, "by": "person"},
        {"name": "dog", "confidence": 40.0, "by": "model", "box": {"left": 0.1}},
    ]
