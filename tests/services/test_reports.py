"""Business rule: an answer that is reported as wrong goes to people first, and never vanishes."""

import pytest

from loupe.domain.detection import DetectionState, Label, LabelledBy, ModelOutput
from loupe.domain.human_loops import review_of
from loupe.domain.keys import NONE_OF_THE_ABOVE, ImageRef
from loupe.domain.reports import Report
from loupe.domain.review import ReviewPurpose, ReviewState
from loupe.errors import AlreadyDone, InvalidRequest, NotFound
from loupe.services.detection import record
from loupe.services.reports import report_answer, take_in
from loupe.services.review_desk import claim_tasks
from tests.adapters.world import World, message


@pytest.fixture
def wrong(world: World) -> ImageRef:
    """An image that the model is sure of: cat."""
    world.set(Labels="cat,dog")
    world.version("v1")
    return world.accepted("1.png")


def reported(world: World, image: ImageRef, label: str = "") -> str:
    return report_answer(Report(image.id, "ann", label), world.deps).id


def answered(world: World, review: str, label: str) -> None:
    world.taken_in(world.answered(review, label))


def test_the_image_goes_to_people_and_keeps_its_answer_until_they_answer(
    world: World, wrong: ImageRef
) -> None:
    review = world.deps.reviews.get(reported(world, wrong, "dog"))

    detection = world.detection(wrong)
    assert (review.purpose, review.state) == (ReviewPurpose.REPORTED, ReviewState.OPEN)
    assert (detection.state, detection.review) == (DetectionState.REVIEW, review.id)
    assert [label.name for label in detection.labels] == ["cat"]
    assert detection.reason == "ann reports that the answer is wrong, and proposes dog"
    (event,) = world.events("ImageReported")
    assert "The model v1 said cat" in event["text"]
    assert world.keys("images_labeled_by_folder/") == []


def test_reviewers_see_neither_the_guess_nor_the_proposal(world: World, wrong: ImageRef) -> None:
    world.set(Show_Model_Guess="true")

    review = world.deps.reviews.get(reported(world, wrong, "dog"))

    assert review.shown_guess == ()
    assert "dog" not in review.shown_reason


def test_it_comes_before_reviews_that_wait_longer(world: World, wrong: ImageRef) -> None:
    close = world.asked(Label("cat", 41.0), Label("dog", 40.0), name="close", version="v1")
    clear = world.asked(Label("cat", 60.0), Label("dog", 10.0), name="clear", version="v1")
    report = reported(world, wrong)

    claimed = [review.id for review in claim_tasks("bob", 9, world.deps)]

    assert claimed == [report, close, clear]


@pytest.mark.parametrize(("answer", "confirmed"), [("dog", 1), (NONE_OF_THE_ABOVE, 1), ("cat", 0)])
def test_what_people_say_counts_for_the_version_and_is_trained_on(
    world: World, wrong: ImageRef, answer: str, confirmed: int
) -> None:
    answered(world, reported(world, wrong), answer)

    version = world.deps.versions.get("v1")
    assert (version.reports, version.reports_confirmed) == (1, confirmed)
    assert (version.samples, version.samples_agreed) == (0, 0)
    first = world.detection(wrong).labels[0]
    assert (first.name, first.by) == (answer, LabelledBy.PERSON)
    labelled = world.keys("images_labeled_by_folder/")
    assert [key.split("/")[1] for key in labelled] == [answer] * (answer != NONE_OF_THE_ABOVE)
    assert f"{confirmed} of 1 reports" in world.events("ReportAnswered")[0]["text"]


def test_a_later_report_corrects_what_people_said_before(world: World, wrong: ImageRef) -> None:
    answered(world, reported(world, wrong), "cat")

    second = reported(world, wrong)
    answered(world, second, "dog")

    assert review_of(second) == second
    assert [label.name for label in world.detection(wrong).labels] == ["dog", "cat"]
    (kept,) = world.keys("images_labeled_by_folder/")
    assert kept.startswith("images_labeled_by_folder/dog/")
    assert world.deps.versions.get("v1").reports == 2


def test_an_image_that_no_label_fitted_is_no_longer_kept_for_one(
    world: World, wrong: ImageRef
) -> None:
    answered(world, reported(world, wrong), NONE_OF_THE_ABOVE)
    assert world.deps.labels.unlabelled_image(wrong.id)

    answered(world, reported(world, wrong), "dog")

    assert world.deps.labels.unlabelled_image(wrong.id) is None


def test_an_image_is_reported_once_until_people_have_answered(
    world: World, wrong: ImageRef
) -> None:
    reported(world, wrong)

    with pytest.raises(AlreadyDone, match=r"1\.png.* is with the reviewers already"):
        reported(world, wrong)


@pytest.mark.parametrize("state", [DetectionState.FAILED, DetectionState.REJECTED])
def test_an_image_without_an_answer_has_none_to_report(world: World, state: DetectionState) -> None:
    world.set(Labels="cat,dog")
    image = world.received("1.png")
    record(image.id, state, ModelOutput("none"), "it is no image", world.deps)

    with pytest.raises(InvalidRequest, match=f"is {state}: it has no answer"):
        reported(world, image)


def test_a_label_that_can_be_none_is_no_proposal(world: World, wrong: ImageRef) -> None:
    with pytest.raises(InvalidRequest, match="cannot be a label"):
        reported(world, wrong, "../x")


def test_an_image_is_named_by_its_name_or_id(world: World, wrong: ImageRef) -> None:
    by_name = report_answer(Report("1.png", "ann"), world.deps)

    assert by_name.image.id == wrong.id
    with pytest.raises(NotFound, match=r"2\.png"):
        report_answer(Report("2.png", "ann"), world.deps)


def test_an_answer_of_people_without_a_model_is_reported_for_no_version(world: World) -> None:
    world.set(Labels="cat,dog")
    answered(world, world.asked(name="1.png"), "cat")
    image = world.deps.objects.current("images_for_detection/1.png").image

    answered(world, reported(world, image), "dog")

    assert world.detection(image).labels[0].name == "dog"
    assert world.events("ReportAnswered") == []


# From other applications


def test_a_message_reports_an_answer(world: World, wrong: ImageRef) -> None:
    take_in(message({"image": "1.png", "by": "line 3"}), world.deps)

    assert world.detection(wrong).reason == "line 3 reports that the answer is wrong"


def test_a_message_that_comes_twice_reports_once(world: World, wrong: ImageRef) -> None:
    for _ in range(2):
        take_in(message({"image": wrong.id}), world.deps)

    assert len(world.events("ImageReported")) == 1
    assert world.events("ReportUnusable") == []


def test_a_report_that_cannot_be_followed_is_announced(world: World, wrong: ImageRef) -> None:
    take_in(message({"image": "2.png", "by": "line 3"}), world.deps)

    (event,) = world.events("ReportUnusable")
    assert event["text"].startswith("line 3 reported the answer to 2.png")


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        "[]",
        "{}",
        '{"image": 1}',
        '{"image": ""}',
        '{"image": "a", "by": " "}',
        '{"image": "a", "label": null}',
        '{"image": "a", "by": "' + "b" * 201 + '"}',
    ],
)
def test_a_message_that_is_no_report_becomes_a_dead_letter(world: World, body: str) -> None:
    with pytest.raises(InvalidRequest):
        take_in(body, world.deps)
