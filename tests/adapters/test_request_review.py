"""Business rule: what the model is unsure of goes to people, who choose among known labels."""

import pytest

from loupe.domain.detection import REVIEW, WAITING, Answer, Label
from loupe.domain.review import COLD_START, OPEN, QUEUED, UNSURE
from loupe.handlers.request_review import Request, ask
from tests.adapters.world import World

UNSURE_ANSWER = Answer("labels", (Label("cat", 40.0),), "v1")


def review_of(world: World, answer: Answer = UNSURE_ANSWER) -> str:
    image = world.received()
    ask(Request(image.id, answer, world.settings()), world.deps)
    return world.detection(image).review


def test_without_a_label_the_image_waits_and_the_operator_is_asked_once_a_day(
    world: World,
) -> None:
    for number in (1, 2):
        image = world.received(f"{number}.png", number)
        assert ask(Request(image.id, UNSURE_ANSWER, world.settings()), world.deps) == WAITING

    (told,) = world.events("LabelsNeeded")
    assert "loupe settings set Labels" in told["text"]


def test_a_review_offers_the_labels_of_the_setting_and_of_the_dataset(world: World) -> None:
    world.set(Labels="emu,große Katze")
    world.labelled("dog", "1.png", 1)

    review = world.deps.reviews.get(review_of(world))

    assert review.labels == ("emu", "große Katze", "dog")


def test_an_unsure_image_is_in_review_with_its_reason_and_event(world: World) -> None:
    world.set(Labels="cat,dog", Reviewers_Per_Image="2")

    review = world.deps.reviews.get(review_of(world))
    detection = world.detection(review.image)

    assert (review.state, review.purpose, review.wanted) == (OPEN, UNSURE, 2)
    assert (detection.state, detection.version) == (REVIEW, "v1")
    assert detection.labels == UNSURE_ANSWER.labels
    assert review.id in world.events("ImageSentToReview")[0]["text"]


def test_an_image_without_a_model_is_reviewed_for_the_first_dataset(world: World) -> None:
    world.set(Labels="cat,dog")

    review = world.deps.reviews.get(review_of(world, Answer("no_model", reason="no model yet")))

    assert (review.purpose, review.version, review.guess) == (COLD_START, "", ())


def test_asking_twice_opens_one_review(world: World) -> None:
    world.set(Labels="cat,dog")
    image = world.received()
    request = Request(image.id, UNSURE_ANSWER, world.settings())

    states = [ask(request, world.deps) for _ in range(2)]

    assert states == [REVIEW, REVIEW]
    assert len(list(world.deps.reviews.newest())) == 1
    assert len(world.events("ImageSentToReview")) == 1


@pytest.mark.parametrize(("shown", "guesses"), [("false", 0), ("true", 1)])
def test_the_guess_is_seen_only_if_the_setting_says_so(
    world: World, shown: str, guesses: int
) -> None:
    world.set(Labels="cat,dog", Show_Model_Guess=shown)

    review = world.deps.reviews.get(review_of(world))

    assert len(review.as_json()["guess"]) == guesses
    assert review.guess == UNSURE_ANSWER.labels


def test_past_the_days_number_of_reviews_images_queue(world: World) -> None:
    world.set(Labels="cat,dog", Maximum_Reviews_Per_Day="2")
    for number in range(4):
        image = world.received(f"{number}.png", number)
        ask(Request(image.id, UNSURE_ANSWER, world.settings()), world.deps)

    assert len(list(world.deps.reviews.newest(OPEN))) == 2
    queued = list(world.deps.reviews.newest(QUEUED))
    assert len(queued) == 2
    assert "today's number" in queued[0].reason


def test_the_days_number_is_never_exceeded_by_two_at_once(world: World) -> None:
    places = [world.deps.reviews.take_place("2026-01-01", 3) for _ in range(5)]

    assert places == [True, True, True, False, False]
    assert world.deps.reviews.take_place("2026-01-02", 3)
    assert all(world.deps.reviews.take_place("2026-01-01", 0) for _ in range(9))


def test_with_amazon_a2i_a_loop_of_the_reviews_name_is_started(world: World) -> None:
    world.use(loops=world.loops)
    world.set(Labels="cat,dog")

    review = review_of(world)

    assert world.loops.started == [review]
