"""Business rule: a version that takes over settles the queued images that it is sure of."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from loupe.domain.detection import DetectionState, Label
from loupe.domain.keys import ImageRef
from loupe.domain.review import Review, ReviewState
from loupe.errors import AlreadyDone, TryAgain, UnusableImage
from loupe.services.housekeeping import run_housekeeping
from loupe.services.lookups import Lookups
from loupe.services.review_desk import answer
from loupe.services.sampling import send
from loupe.services.serving import promote
from loupe.services.settling import settle_queued
from tests.adapters.world import World

SURE, UNSURE = Label("cat", 93.0), Label("dog", 60.0)


@pytest.fixture
def queue(world: World) -> dict[str, str]:
    """Three images that v1 was unsure of wait in the queue; v2, which takes over, knows cats."""
    world.set(Labels="cat,dog", Maximum_Reviews_Per_Day="1")
    world.in_service()
    reviews = {
        name: world.asked(Label("cat", 40.0), name=f"{name}.png", version="v1", picture=number)
        for number, name in enumerate(("cat 1", "dog 1", "cat 2"))
    }
    world.version("v2", arn="arn:v2")
    promote("v2", "it is better", world.deps)
    world.rekognition.become("v2", "RUNNING")
    world.rekognition.answers = lambda _arn, image: [SURE if "cat" in image.name else UNSURE]
    return reviews


def settle(world: World) -> int:
    return settle_queued(Lookups(world.deps))


def review(world: World, name: str, queue: dict[str, str]) -> Review:
    return world.deps.reviews.get(queue[name])


def reads(world: World) -> int:
    return sum(call[0] == "detect" for call in world.rekognition.calls)


def test_an_image_that_the_new_version_is_sure_of_is_accepted_and_nobody_is_asked(
    world: World, queue: dict[str, str]
) -> None:
    assert settle(world) == 2

    settled = review(world, "cat 1", queue)
    detection = world.detection(settled.image)
    assert (settled.state, settled.reason) == (ReviewState.SETTLED, "settled by v2")
    assert (detection.state, detection.labels, detection.version) == (
        DetectionState.ACCEPTED,
        (SURE,),
        "v2",
    )
    assert "until v2 was sure of it" in detection.reason
    assert [event["subject"] for event in world.events("ImageAccepted")] == [
        "cat 1.png: cat",
        "cat 2.png: cat",
    ]
    with pytest.raises(AlreadyDone, match="is settled"):
        answer(settled.id, "ada", "cat", world.deps)


def test_how_many_were_settled_is_counted_and_published(
    world: World, queue: dict[str, str]
) -> None:
    settle(world)

    (event,) = world.events("ReviewsSettled")
    assert event["text"].startswith("2 waiting images were settled by v2")
    assert world.deps.versions.get("v2").settled == 2


def test_what_the_new_version_is_unsure_of_stays_in_the_queue_by_its_newer_guess(
    world: World, queue: dict[str, str]
) -> None:
    settle(world)

    waiting = review(world, "dog 1", queue)
    assert (waiting.state, waiting.guess, waiting.version) == (
        ReviewState.QUEUED,
        (UNSURE,),
        "v2",
    )
    assert "dog with 60 %" in waiting.reason
    assert waiting.thumbnail
    assert world.detection(waiting.image).version == "v1"
    assert world.deps.reviews.counts() == {ReviewState.SETTLED: 2, ReviewState.QUEUED: 1}


def test_each_image_is_read_once_by_each_version_that_takes_over(
    world: World, queue: dict[str, str]
) -> None:
    for _ in range(3):
        settle(world)
    assert reads(world) == 3

    world.version("v3", arn="arn:v3")
    promote("v3", "it is better still", world.deps)
    world.rekognition.become("v3", "RUNNING")
    settle(world)

    assert reads(world) == 3 + 1
    assert len(world.events("ReviewsSettled")) == 1


def test_images_are_read_while_the_model_runs_and_not_started_for(
    world: World, queue: dict[str, str]
) -> None:
    world.rekognition.become("v2", "STOPPED")
    assert settle(world) == 0

    world.rekognition.become("v2", "RUNNING")
    assert settle(world) == 2


def test_a_run_has_an_end_and_the_next_one_goes_on_behind_it(
    world: World, queue: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loupe.services.settling.TIME_PER_RUN", timedelta(seconds=2))

    settle(world)
    assert (reads(world), world.events("ReviewsSettled")) == (1, [])
    for _ in range(3):
        settle(world)

    assert reads(world) == 3
    assert world.deps.reviews.counts() == {ReviewState.SETTLED: 2, ReviewState.QUEUED: 1}
    assert len(world.events("ReviewsSettled")) == 1


def test_a_busy_model_is_asked_again_in_the_next_run(world: World, queue: dict[str, str]) -> None:
    def busy_at_first(_arn: str, image: ImageRef) -> Sequence[Label]:
        if reads(world) == 2:
            raise TryAgain("Rekognition: ThrottlingException")
        return [SURE]

    world.rekognition.answers = busy_at_first

    assert [settle(world), settle(world)] == [1, 2]


def test_an_image_that_was_deleted_does_not_hold_up_the_others(
    world: World, queue: dict[str, str]
) -> None:
    def one_is_deleted(_arn: str, image: ImageRef) -> Sequence[Label]:
        if image.name == "cat 1.png":
            raise UnusableImage("it was deleted")
        return [SURE]

    world.rekognition.answers = one_is_deleted

    assert settle(world) == 2
    assert review(world, "cat 1", queue).state == ReviewState.QUEUED


def test_reviews_that_are_open_answered_or_measure_a_version_are_left_alone(
    world: World, queue: dict[str, str]
) -> None:
    world.set(Reviewers_Per_Image="1")
    answer(queue["cat 1"], "ada", "dog", world.deps)
    image = review(world, "dog 1", queue).image
    send(world.detection(image), world.settings(), world.deps)
    before = [review(world, name, queue) for name in queue]

    world.set(Minimum_Label_Detection_Confidence="50")
    settle(world)

    assert [review(world, name, queue) for name in ("cat 1", "dog 1")] == before[:2]
    assert review(world, "cat 2", queue).state == ReviewState.SETTLED


def test_who_answers_while_the_image_is_read_is_heard(world: World, queue: dict[str, str]) -> None:
    def answered_meanwhile(_arn: str, image: ImageRef) -> Sequence[Label]:
        if image.name == "cat 1.png":
            answer(queue["cat 1"], "ada", "dog", world.deps)
        return [SURE]

    world.rekognition.answers = answered_meanwhile

    assert settle(world) == 2
    assert review(world, "cat 1", queue).state == ReviewState.CLOSING
    assert world.detection(review(world, "cat 1", queue).image).state == DetectionState.REVIEW


def test_a_settled_image_is_not_sampled_or_observed_a_second_time(
    world: World, queue: dict[str, str]
) -> None:
    before = [pointer for pointer, _ in world.deps.detections.read_since("")]

    settle(world)

    assert [pointer for pointer, _ in world.deps.detections.read_since("")] == before


def test_a_sample_of_an_older_version_is_not_scored_by_a_newer_guess(
    world: World, queue: dict[str, str]
) -> None:
    settle(world)
    waiting = review(world, "dog 1", queue)

    send(world.detection(waiting.image), world.settings(), world.deps)

    assert not review(world, "dog 1", queue).also_quality
    sample = world.deps.reviews.get(f"quality-{waiting.image.id}")
    assert (sample.version, sample.guess) == ("v1", (Label("cat", 40.0),))


def test_the_housekeeping_settles_what_waits(world: World, queue: dict[str, str]) -> None:
    for _ in range(2):
        run_housekeeping(world.deps)

    assert world.deps.reviews.counts()[ReviewState.SETTLED] >= 1
