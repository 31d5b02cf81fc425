"""Business rule: the model runs for a backlog, rests when idle, and what waits is read."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from loupe.adapters.rekognition import VersionState
from loupe.adapters.reviews import count_opened
from loupe.adapters.table import Table
from loupe.domain.detection import DetectionState, Label, ModelOutput
from loupe.domain.keys import ImageRef
from loupe.domain.model_state import PAUSES
from loupe.domain.review import Review, ReviewPurpose, ReviewState, review_id
from loupe.domain.versions import VersionStatus
from loupe.errors import TryAgain
from loupe.services.autostart import switch
from loupe.services.housekeeping import QUEUEING, HousekeepingFailed, run_housekeeping
from loupe.services.human_loops import LOOPS_PER_RUN
from loupe.services.lookups import Lookups
from loupe.services.reviews import open_queued, request_review
from loupe.services.serving import promote, switch_service, why_not_started
from loupe.telemetry import OLDEST_REVIEW_HOURS
from tests.adapters.world import World


@pytest.fixture
def serving(world: World) -> World:
    """A version in service that runs."""
    world.in_service()
    world.rekognition.become("v1", "RUNNING")
    return world


def test_before_the_first_model_images_wait_until_labels_are_known(world: World) -> None:
    world.received()

    assert run_housekeeping(world.deps)["queued"] == 0

    world.set(Labels="cat,dog")

    assert run_housekeeping(world.deps)["queued"] == 1
    assert world.queued()[0]["detail"]["object"]["key"] == "images_for_detection/a b+ü.png"


def test_a_queue_that_is_at_work_is_not_filled_again(world: World) -> None:
    world.set(Labels="cat,dog")
    world.received()

    queued = [run_housekeeping(world.deps)["queued"] for _ in range(2)]

    assert queued == [1, 0]


def test_of_runs_to_which_the_queue_looks_empty_one_fills_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What SQS says of its length is approximate, and late."""
    monkeypatch.setattr(world.deps.queue, "is_empty", lambda: True)
    world.set(Labels="cat,dog")
    world.received()

    queued = [run_housekeeping(world.deps)["queued"] for _ in range(3)]
    world.deps.now += QUEUEING

    assert queued == [1, 0, 0]
    assert run_housekeeping(world.deps)["queued"] == 1


def test_without_a_model_and_review_nothing_is_queued(world: World) -> None:
    world.set(Labels="cat,dog", Enable_A2I_Workflow="false")
    world.received()

    assert run_housekeeping(world.deps)["queued"] == 0


def test_a_backlog_starts_a_stopped_model_and_is_queued_when_it_runs(serving: World) -> None:
    serving.rekognition.become("v1", "STOPPED")
    serving.received()

    first = run_housekeeping(serving.deps)
    assert (first["action"], first["queued"]) == ("start", 0)

    serving.rekognition.become("v1", "RUNNING")
    assert run_housekeeping(serving.deps)["queued"] == 1


def test_what_a_training_run_that_was_cut_off_left_running_is_stopped(serving: World) -> None:
    serving.rekognition.become("v0", "RUNNING")

    run_housekeeping(serving.deps)

    assert [call for call in serving.rekognition.calls if call[0] == "stop"] == [("stop", "arn:v0")]


def test_what_an_active_training_run_runs_is_left_to_it(
    serving: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving.rekognition.become("v2", "RUNNING")
    serving.deps.versions.take_lease("arn:execution", over="")
    monkeypatch.setattr(type(serving.deps.executions), "is_running", lambda *_: True)

    run_housekeeping(serving.deps)

    assert not [call for call in serving.rekognition.calls if call[0] == "stop"]


def test_more_than_a_call_takes_are_queued_all_of_them(serving: World) -> None:
    for number in range(12):
        serving.received(f"{number}.png", 0)

    assert run_housekeeping(serving.deps)["queued"] == 12


def test_an_idle_model_is_stopped_after_the_minutes_of_the_setting(serving: World) -> None:
    serving.set(Stop_Model_When_Idle_Minutes="30")
    serving.accepted("1.png")
    assert run_housekeeping(serving.deps)["action"] == "leave"

    serving.deps.now += timedelta(minutes=31)

    assert run_housekeeping(serving.deps)["action"] == "stop"
    assert serving.rekognition.calls == [("stop", "arn:v1")]
    assert "31 minutes" in serving.events("ModelStopped")[0]["text"]


def test_the_first_model_reads_again_what_no_person_has_looked_at(world: World) -> None:
    world.set(Labels="cat,dog", Reviewers_Per_Image="2")
    untouched = world.asked(name="1.png", picture=1)
    answered = world.asked(name="2.png", picture=2)
    world.answered_once(answered)
    world.in_service()
    world.rekognition.become("v1", "RUNNING")

    queued = run_housekeeping(world.deps)["queued"]

    assert queued == 1
    assert world.deps.reviews.get(untouched).state == ReviewState.WITHDRAWN
    assert world.detection(world.deps.reviews.get(untouched).image).state == DetectionState.WAITING
    assert world.deps.reviews.get(answered).state == ReviewState.OPEN


def test_with_amazon_a2i_the_loop_of_a_withdrawn_review_is_stopped(world: World) -> None:
    world.use(loops=world.loops)
    world.set(Labels="cat,dog")
    review = world.asked()
    world.in_service()

    run_housekeeping(world.deps)

    assert world.loops.stopped == [review]


def test_reviews_of_an_unsure_model_are_not_withdrawn(serving: World) -> None:
    serving.set(Labels="cat,dog")
    review = serving.asked(Label("cat", 40.0), version="v1")

    run_housekeeping(serving.deps)

    found = serving.deps.reviews.get(review)
    assert (found.state, serving.detection(found.image).state) == (
        ReviewState.OPEN,
        DetectionState.REVIEW,
    )


def queued_reviews(world: World) -> None:
    """Given one open review and two that wait for another day: a sure one and an unsure one."""
    world.set(Labels="cat,dog", Maximum_Reviews_Per_Day="1")
    for number, confidence in enumerate((50.0, 60.0, 10.0)):
        image = world.received(f"{number}.png", number)
        answer = ModelOutput("labels", (Label("cat", confidence),), "v1")
        request_review(image.id, answer, world.settings(), world.deps)
        open_queued(world.settings(), world.deps)


def test_a_new_day_opens_queued_reviews_the_least_sure_first(world: World) -> None:
    queued_reviews(world)
    assert run_housekeeping(world.deps)["opened"] == 0

    world.deps.now += timedelta(days=1)

    assert run_housekeeping(world.deps)["opened"] == 1
    opened = {review.image.name for review in world.deps.reviews.newest(ReviewState.OPEN)}
    assert opened == {"0.png", "2.png"}


def test_a_review_that_is_answered_while_it_waits_does_not_stop_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued_reviews(world)
    world.set(Maximum_Reviews_Per_Day="0")
    stale = list(world.deps.reviews.newest(ReviewState.QUEUED))
    world.deps.reviews.move(replace(stale[0], state=ReviewState.OPEN), stale[0])
    monkeypatch.setattr(world.deps.reviews, "by_rank", lambda *_, **__: iter(stale))

    assert run_housekeeping(world.deps)["opened"] == 1


# A model that cannot start


@pytest.fixture
def falling(serving: World) -> World:
    """A version in service that does not start, however often, and an image that waits for it."""
    serving.received()
    serving.rekognition.states["v1"] = VersionState("FAILED", "arn:v1", "insufficient capacity")
    return serving


def hours_pass(world: World) -> int:
    """The housekeeping for three hours; every start ends in FAILED. Returns how many starts."""
    before = len(starts(world))
    for _ in range(18):
        switch(Lookups(world.deps))
        world.rekognition.states["v1"] = VersionState("FAILED", "arn:v1", "insufficient capacity")
        world.deps.now += timedelta(minutes=10)
    return len(starts(world)) - before


def starts(world: World) -> list[Any]:
    return [call for call in world.rekognition.calls if call[0] == "start"]


def test_a_model_that_cannot_start_is_tried_a_few_times_and_told_of_once(falling: World) -> None:
    assert hours_pass(falling) == len(PAUSES)

    (told,) = falling.events("ModelCannotStart")
    assert "insufficient capacity" in told["text"]
    assert why_not_started(falling.deps) == "insufficient capacity"


def test_a_start_that_the_service_refuses_counts_and_its_words_are_told(falling: World) -> None:
    falling.rekognition.refuses_to_start = "ServiceQuotaExceeded: no units left"

    assert hours_pass(falling) == len(PAUSES)
    assert "no units left" in falling.events("ModelCannotStart")[0]["text"]


@pytest.mark.parametrize("cause", ["person", "units", "version"])
def test_what_a_person_changes_lets_it_be_tried_anew(falling: World, cause: str) -> None:
    hours_pass(falling)
    if cause == "person":
        switch_service(True, "ann", falling.deps)
    elif cause == "units":
        falling.set(Maximum_Inference_Units="3")
    else:
        falling.version("v2", arn="arn:v2")
        promote("v2", "it is better", falling.deps)
        falling.rekognition.states["v2"] = VersionState("FAILED", "arn:v2", "no capacity")
    begun = len(starts(falling))

    assert why_not_started(falling.deps) == "" or cause == "units"
    run_housekeeping(falling.deps)
    assert len(starts(falling)) == begun + (cause != "person")
    assert cause != "person" or hours_pass(falling) == len(PAUSES)


def test_attempts_count_from_none_again_once_it_ran(falling: World) -> None:
    switch(Lookups(falling.deps))
    falling.rekognition.become("v1", "RUNNING")
    run_housekeeping(falling.deps)
    falling.rekognition.become("v1", "STOPPED")

    assert hours_pass(falling) == len(PAUSES)


# Idle


def test_a_model_that_was_started_by_hand_gets_its_idle_time_from_then(serving: World) -> None:
    serving.set(Stop_Model_When_Idle_Minutes="30")
    serving.accepted("1.png")
    serving.rekognition.become("v1", "STOPPED")
    serving.deps.now += timedelta(days=1)
    switch_service(True, "ann", serving.deps)
    serving.rekognition.become("v1", "RUNNING")

    serving.deps.now += timedelta(minutes=29)
    assert run_housekeeping(serving.deps)["action"] == "leave"
    serving.deps.now += timedelta(minutes=2)
    assert run_housekeeping(serving.deps)["action"] == "stop"


@pytest.mark.parametrize(
    ("status", "action"), [("training", "leave"), (VersionStatus.WAITING_FOR_APPROVAL, "stop")]
)
def test_an_active_training_run_keeps_the_champion_but_one_that_waits_for_approval_does_not(
    serving: World, status: VersionStatus, action: str
) -> None:
    serving.set(Stop_Model_When_Idle_Minutes="30")
    run_housekeeping(serving.deps)
    serving.deps.now += timedelta(hours=2)
    serving.version("v2", status)
    serving.deps.versions.take_lease("arn:execution", over="")
    serving.executions.running.add("arn:execution")

    assert run_housekeeping(serving.deps)["action"] == action


# Parts that fail


class Broken(Exception):
    """Nothing that a service or Loupe says."""


def fault(code: str, status: int = 400) -> ClientError:
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Query")  # type: ignore[arg-type]


def breaks(world: World, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """The service that says what versions are at fails."""

    def versions() -> None:
        raise error

    monkeypatch.setattr(world.rekognition, "versions", versions)


def test_one_part_that_fails_does_not_keep_the_others_from_their_work(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    queued_reviews(world)
    world.deps.now += timedelta(days=1)
    breaks(world, monkeypatch, Broken("x"))

    with pytest.raises(HousekeepingFailed, match=r"running hours \(Broken: x\)"):
        run_housekeeping(world.deps)

    assert world.deps.reviews.counts()[ReviewState.OPEN] == 2
    assert '"HousekeepingPartsFailed":[3.0]' in capsys.readouterr().out


@pytest.mark.parametrize(
    "error",
    [
        TryAgain("busy"),
        fault("ThrottlingException"),
        fault("Whatever", 503),
        ConnectTimeoutError(endpoint_url="https://x"),
        ReadTimeoutError(endpoint_url="https://x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_passing_fault_is_left_to_the_next_minute_and_metered_lest_it_lasts(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
) -> None:
    breaks(world, monkeypatch, error)

    assert run_housekeeping(world.deps)["action"] == "leave"
    assert '"HousekeepingPartsFailed":[3.0]' in capsys.readouterr().out


def test_a_run_in_which_all_goes_well_is_metered_as_well(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """By that an alarm knows that no part fails in every run."""
    run_housekeeping(world.deps)

    assert '"HousekeepingPartsFailed":[0.0]' in capsys.readouterr().out


def test_a_refusal_is_no_passing_fault(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    breaks(world, monkeypatch, fault("AccessDeniedException"))

    with pytest.raises(HousekeepingFailed, match="AccessDeniedException"):
        run_housekeeping(world.deps)


def test_a_service_that_hangs_is_waited_for_once_a_run(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After what does not need it is done: Lambda may end the function before the last part."""
    queued_reviews(world)
    world.deps.now += timedelta(days=1)
    capsys.readouterr()
    calls = []

    def versions() -> None:
        calls.append((world.deps.reviews.counts()[ReviewState.OPEN], capsys.readouterr().out))
        raise ReadTimeoutError(endpoint_url="https://rekognition")

    monkeypatch.setattr(world.rekognition, "versions", versions)

    run_housekeeping(world.deps)

    ((opened, printed),) = calls
    assert opened == 2
    assert OLDEST_REVIEW_HOURS in printed


# How much it reads


def reviews(
    world: World, count: int, state: ReviewState, purpose: ReviewPurpose, loop: str = ""
) -> None:
    """So many reviews, written as they are, without their images."""
    for number in range(count):
        image = ImageRef("b", f"images_for_detection/{purpose}{state}{number}.png", "1", "", 1)
        guess = (Label("cat", number % 100),)
        at = "2026-01-01T00:00:00.000Z"
        world.deps.reviews.put_new(
            Review(
                review_id(image, purpose), image, purpose, state, at, ("cat",), 1, guess, loop=loop
            )
        )


@pytest.fixture
def read_units(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many items of the table were read."""
    read: Counter[str] = Counter()
    own = Table._pages

    def pages(table: Table, **query: Any) -> Any:
        real = table._table.query

        def query_counted(**asked: Any) -> Any:
            page = real(**asked)
            read["items"] += page["Count"]
            return page

        with monkeypatch.context() as patched:
            patched.setattr(table._table, "query", query_counted)
            yield from own(table, **query)

    monkeypatch.setattr(Table, "_pages", pages)
    return read


@pytest.mark.parametrize("a2i", [False, True])
def test_many_open_reviews_are_not_read_again_and_again(
    serving: World, read_units: Counter[str], a2i: bool
) -> None:
    """Each is gone through once, for the time before the first model; after that only some loops
    are looked at, however many there are."""
    serving.use(loops=serving.loops if a2i else None)
    serving.set(Labels="cat,dog", Maximum_Reviews_Per_Day="1")
    serving.deps.now += timedelta(hours=1)
    serving.deps.table.write(count_opened(f"{serving.deps.now:%Y-%m-%d}", 1))
    reviews(serving, 40, ReviewState.OPEN, ReviewPurpose.UNSURE, "a-loop" if a2i else "")
    reviews(serving, 20, ReviewState.QUEUED, ReviewPurpose.UNSURE)
    run_housekeeping(serving.deps)
    serving.deps.now += timedelta(minutes=20)
    run_housekeeping(serving.deps)

    read_units.clear()
    run_housekeeping(serving.deps)

    assert read_units["items"] <= 10 + (LOOPS_PER_RUN if a2i else 0)


def test_no_more_queued_reviews_are_read_than_are_chosen_from(
    world: World, read_units: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loupe.services.reviews.POOL", 10)
    world.set(Maximum_Reviews_Per_Day="3", Review_Strategy="margin")
    reviews(world, 20, ReviewState.QUEUED, ReviewPurpose.UNSURE)
    settings = world.settings()

    assert open_queued(settings, world.deps) == 3

    assert read_units["items"] == 10
    opened = {review.guess[0].confidence for review in world.deps.reviews.newest(ReviewState.OPEN)}
    assert opened == {0.0, 1.0, 2.0}
    assert open_queued(settings, world.deps) == 0
    assert read_units["items"] == 10 + 3


def test_reviews_that_the_first_model_makes_needless_are_withdrawn_over_several_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loupe.services.cold_start.REVIEWS_PER_RUN", 2)
    world.set(Labels="cat,dog")
    for number in range(5):
        world.asked(name=f"{number}.png", picture=number)
    world.in_service()

    for _ in range(4):
        run_housekeeping(world.deps)
        world.deps.now += timedelta(minutes=10)

    late = world.asked(name="late.png", picture=9)
    run_housekeeping(world.deps)

    assert world.deps.reviews.counts() == {ReviewState.WITHDRAWN: 5, ReviewState.OPEN: 1}
    assert world.deps.reviews.get(late).state == ReviewState.OPEN


def test_a_review_from_before_the_first_model_that_comes_late_is_withdrawn(world: World) -> None:
    world.set(Labels="cat,dog")
    world.in_service()
    run_housekeeping(world.deps)

    late = world.asked()
    run_housekeeping(world.deps)

    assert world.deps.reviews.get(late).state == ReviewState.WITHDRAWN
