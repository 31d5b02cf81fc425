"""Business rule: what the model is unsure of goes to people, who choose among known labels."""

from datetime import timedelta

import pytest

from loupe.domain.detection import DetectionState, Label, ModelOutput
from loupe.domain.review import ReviewPurpose, ReviewState
from loupe.errors import TryAgain
from loupe.services.reviews import open_queued, open_review, request_review
from tests.adapters.world import START, World

UNSURE_ANSWER = ModelOutput("labels", (Label("cat", 40.0),), "v1")


def review_of(world: World, answer: ModelOutput = UNSURE_ANSWER) -> str:
    image = world.received()
    request_review(image.id, answer, world.settings(), world.deps)
    return world.detection(image).review


def test_without_a_label_the_image_waits_and_the_operator_is_asked_once_a_day(
    world: World,
) -> None:
    for number in (1, 2):
        image = world.received(f"{number}.png", number)
        assert (
            request_review(image.id, UNSURE_ANSWER, world.settings(), world.deps)
            == DetectionState.WAITING
        )

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

    assert (review.state, review.purpose, review.reviewers) == (
        ReviewState.OPEN,
        ReviewPurpose.UNSURE,
        2,
    )
    assert (detection.state, detection.version) == (DetectionState.REVIEW, "v1")
    assert detection.labels == UNSURE_ANSWER.labels
    assert review.id in world.events("ImageSentToReview")[0]["text"]


def test_an_image_without_a_model_is_reviewed_for_the_first_dataset(world: World) -> None:
    world.set(Labels="cat,dog")

    review = world.deps.reviews.get(
        review_of(world, ModelOutput("no_model", reason="no model yet"))
    )

    assert (review.purpose, review.version, review.guess) == (ReviewPurpose.COLD_START, "", ())


def test_asking_twice_opens_one_review(world: World) -> None:
    world.set(Labels="cat,dog")
    image = world.received()
    settings = world.settings()

    states = [request_review(image.id, UNSURE_ANSWER, settings, world.deps) for _ in range(2)]

    assert states == [DetectionState.REVIEW, DetectionState.REVIEW]
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


# The day's maximum

DAY = f"{START:%Y-%m-%d}"


def waiting(world: World, *margins: float) -> None:
    """Images that the model was unsure of, the later ones with other pictures."""
    for number, margin in enumerate(margins):
        labels = (Label("cat", 30.0 + margin), Label("dog", 30.0))
        world.asked(*labels, name=f"{number}.png", version="v1", picture=number)


def names(world: World, state: ReviewState) -> list[str]:
    """The images in reviews of a state, in the order of their arrival."""
    return [review.image.name for review in world.deps.reviews.oldest(state, "", 100)]


@pytest.mark.parametrize("a2i", [False, True], ids=["own page", "Amazon A2I"])
@pytest.mark.parametrize(
    ("strategy", "opened"),
    [("arrival", ["0.png", "1.png"]), ("margin", ["1.png", "3.png"])],
)
def test_the_days_maximum_takes_the_best_and_keeps_the_others(
    world: World, strategy: str, opened: list[str], a2i: bool
) -> None:
    world.use(loops=world.loops if a2i else None)
    world.set(Labels="cat,dog", Maximum_Reviews_Per_Day="2", Review_Strategy=strategy)
    waiting(world, 20.0, 5.0, 30.0, 1.0)

    assert open_queued(world.settings(), world.deps) == 2

    assert names(world, ReviewState.OPEN) == opened
    assert len(world.loops.started) == (2 if a2i else 0)
    world.deps.now += timedelta(days=1)
    assert open_queued(world.settings(), world.deps) == 2
    assert world.deps.reviews.counts() == {ReviewState.OPEN: 4}


def test_the_days_maximum_is_of_as_many_kinds_as_possible(world: World) -> None:
    world.set(Labels="cat,dog", Maximum_Reviews_Per_Day="2")
    twins = [
        world.asked(Label("cat", 30.0), name=f"{n}.png", version="v1", picture=0) for n in range(5)
    ]
    other = world.asked(Label("cat", 33.0), name="other.png", version="v1", picture=1)

    open_queued(world.settings(), world.deps)

    opened = {review.id for review in world.deps.reviews.newest(ReviewState.OPEN)}
    assert other in opened
    assert len(opened & set(twins)) == 1


def test_before_the_first_model_people_are_first_asked_about_different_pictures(
    world: World,
) -> None:
    world.set(Labels="cat,dog", Maximum_Reviews_Per_Day="2")
    for number in range(5):
        world.asked(name=f"{number}.png", picture=0)
    other = world.asked(name="other.png", picture=1)

    open_queued(world.settings(), world.deps)

    assert other in {review.id for review in world.deps.reviews.newest(ReviewState.OPEN)}


def look_too_early(world: World, monkeypatch: pytest.MonkeyPatch, places: int) -> None:
    """Let the next look at the day's places see what others take before the write."""
    look, seen = world.deps.reviews.daily_reviews_left, iter([places])
    monkeypatch.setattr(
        world.deps.reviews,
        "daily_reviews_left",
        lambda day, cap: next(seen, None) or look(day, cap),
    )


def test_a_queued_review_that_loses_the_last_place_stays_queued(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.set(Labels="cat,dog", Maximum_Reviews_Per_Day="1")
    waiting(world, 1.0, 2.0, 3.0)
    assert open_queued(world.settings(), world.deps) == 1
    look_too_early(world, monkeypatch, places=2)

    assert open_queued(world.settings(), world.deps) == 0
    assert world.deps.reviews.counts() == {ReviewState.OPEN: 1, ReviewState.QUEUED: 2}


def test_a_review_takes_its_place_once_however_often_it_is_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.set(Labels="cat,dog", Maximum_Reviews_Per_Day="9")
    image = world.received()
    before, settings = world.detection(image), world.settings()

    with monkeypatch.context() as patch, pytest.raises(TryAgain):
        patch.setattr(world.deps.reviews, "put_new", kept_out)
        request_review(image.id, UNSURE_ANSWER, settings, world.deps)
    for _ in range(2):
        open_review(before, UNSURE_ANSWER, ("cat", "dog"), settings, world.deps)
        open_queued(settings, world.deps)

    assert world.deps.reviews.daily_reviews_left(DAY, 9) == 8


def test_a_queued_review_that_is_answered_just_now_takes_no_place(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.set(Labels="cat,dog", Maximum_Reviews_Per_Day="1")
    waiting(world, 1.0, 2.0)
    open_queued(world.settings(), world.deps)
    (stale,) = world.deps.reviews.newest(ReviewState.QUEUED)
    world.answered_once(stale.id)
    monkeypatch.setattr(world.deps.reviews, "by_rank", lambda *_, **__: iter([stale]))
    world.set(Maximum_Reviews_Per_Day="3")

    assert open_queued(world.settings(), world.deps) == 0
    assert world.deps.reviews.daily_reviews_left(DAY, 3) == 2


def test_without_a_cap_reviews_do_not_wait_for_one_count(world: World) -> None:
    world.set(Labels="cat,dog")
    review_of(world)

    assert world.deps.table.get("STATE", f"REVIEWS#{DAY}") is None


def kept_out(*_: object, **__: object) -> None:
    """A write that meets other transactions for long."""
    raise TryAgain("The table was busy with another change.")


def test_with_amazon_a2i_a_loop_of_the_reviews_name_is_started(world: World) -> None:
    world.use(loops=world.loops)
    world.set(Labels="cat,dog")

    review = review_of(world)

    assert world.loops.started == [review]
