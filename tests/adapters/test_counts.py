"""Business rule: the counts of images and reviews by state are what a full count would give."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.moto_api._internal.models import moto_api_backend

from loupe.adapters.records import SETTLED_AFTER
from loupe.domain.detection import DetectionState, Label
from loupe.domain.review import ReviewState
from loupe.errors import AlreadyDone
from loupe.services.housekeeping import run_housekeeping
from loupe.services.reviews import open_queued
from tests.adapters.world import START, World, table_resource


def full_count(world: World) -> tuple[Counter[str], Counter[str]]:
    """All records, read one by one."""
    return (
        Counter(detection.state for detection in world.deps.detections.newest()),
        Counter(review.state for review in world.deps.reviews.newest()),
    )


def counts(world: World) -> tuple[Counter[str], Counter[str]]:
    """The counts kept, without a look at the records."""
    table = world.deps.table
    return table.state_counts("DETECTION", ()), table.state_counts("REVIEW", ())


def shown(world: World) -> tuple[Counter[str], Counter[str]]:
    return world.deps.detections.counts(), world.deps.reviews.counts()


STATES = (DetectionState.WAITING, DetectionState.ACCEPTED, DetectionState.FAILED)
moves = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(STATES), st.sampled_from(STATES)), max_size=12
)


@pytest.mark.slow
@given(moves)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_sequence_of_moves_repeated_or_refused_keeps_the_counts_right(
    _aws: None, sequence: list[tuple[int, DetectionState, DetectionState]]
) -> None:
    moto_api_backend.reset()
    world = World()
    images = [world.put(f"images_for_detection/{number}.png", b"x") for number in range(4)]
    for number, expected, state in sequence:
        for _ in range(2):  # Every delivery comes twice.
            act(world, images[number], expected, state)

    assert counts(world) == full_count(world)


def act(world: World, image: Any, expected: DetectionState, state: DetectionState) -> None:
    try:
        world.deps.detections.receive(image, "2026-01-01T00:00:00.000Z")
    except AlreadyDone:
        before = world.detection(image)
        with_state = replace(before, state=state)
        if before.state == expected:
            world.deps.detections.move(with_state, expected)
        else:
            with pytest.raises(AlreadyDone):
                world.deps.detections.move(with_state, expected)


def test_reviews_are_counted_through_all_their_states(world: World) -> None:
    world.set(Labels="cat,dog", Maximum_Reviews_Per_Day="1")
    review = world.asked(Label("cat", 40.0), name="1.png", version="v1")
    assert open_queued(world.settings(), world.deps) == 1
    world.asked(Label("cat", 30.0), name="2.png", version="v1", picture=1)
    assert world.deps.reviews.counts() == {ReviewState.OPEN: 1, ReviewState.QUEUED: 1}

    output = world.answered(review, "cat")
    assert world.deps.reviews.counts() == {ReviewState.CLOSING: 1, ReviewState.QUEUED: 1}

    for _ in range(2):
        world.taken_in(output)
    assert world.deps.reviews.counts() == {ReviewState.DONE: 1, ReviewState.QUEUED: 1}
    assert counts(world) == full_count(world)


def test_records_of_another_stack_count_once_however_often_they_are_restored(world: World) -> None:
    detection = replace(world.detection(world.received()), state=DetectionState.ACCEPTED)

    for _ in range(2):
        world.deps.detections.restore(detection)

    assert counts(world)[0] == {DetectionState.ACCEPTED: 1}


# Records of a release that kept no counts


def forget_counts(world: World) -> None:
    """Make every record as an earlier release wrote it."""
    table = table_resource()
    for item in table.scan()["Items"]:
        if item["pk"] in ("COUNTS",) or (item["pk"], item["sk"]) == ("STATE", "COUNTED"):
            table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
        elif "counted" in item:
            for name in ("counted", *(("answered", "answered_at") * (item["sk"] == "REVIEW"))):
                item.pop(name, None)
            table.put_item(Item=item)


@pytest.fixture
def earlier(world: World) -> World:
    """A stack of an earlier release: two accepted images, two in review, one of them queued."""
    world.set(Labels="cat,dog", Maximum_Reviews_Per_Day="1")
    world.accepted("1.png")
    world.accepted("2.png")
    world.asked(Label("cat", 40.0), name="3.png", version="v1")
    open_queued(world.settings(), world.deps)
    world.asked(Label("cat", 30.0), name="4.png", version="v1", picture=1)
    forget_counts(world)
    return world


def test_an_update_counts_what_an_earlier_release_wrote(earlier: World) -> None:
    assert counts(earlier) == (Counter(), Counter())

    for _ in range(3):
        run_housekeeping(earlier.deps)

    assert counts(earlier) == full_count(earlier)
    assert earlier.deps.records.are_counted()


@pytest.mark.parametrize("counted_first", [0, 1, 2, 10])
def test_records_that_move_while_they_are_counted_count_where_they_are(
    earlier: World, counted_first: int
) -> None:
    records, deps = earlier.deps.records, earlier.deps
    if counted_first:
        records.count_earlier(START, counted_first)
    earlier.accepted("5.png")
    for review in list(deps.reviews.newest(ReviewState.OPEN)):
        earlier.taken_in(earlier.answered(review.id, "cat"))
    for number in range(1, 5):
        records.count_earlier(START + timedelta(minutes=number), 2)

    assert counts(earlier) == full_count(earlier)


def test_what_was_read_a_moment_ago_and_has_moved_since_is_counted_as_it_is(
    earlier: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = list(earlier.deps.table.listing("REVIEW"))
    for review in list(earlier.deps.reviews.newest(ReviewState.OPEN)):
        earlier.taken_in(earlier.answered(review.id, "cat"))

    earlier.deps.records._count(stale)
    earlier.deps.records._count(list(earlier.deps.table.listing("DETECTION")))

    assert counts(earlier) == full_count(earlier)


def test_queued_reviews_of_an_earlier_release_are_opened(earlier: World) -> None:
    earlier.set(Maximum_Reviews_Per_Day="0")

    for _ in range(2):
        run_housekeeping(earlier.deps)

    assert earlier.deps.reviews.counts() == {ReviewState.OPEN: 2}


def move_as_an_earlier_release(world: World, pk: str, sk: str, state: str) -> None:
    """Write the whole record again, as the first release does, which counts nothing."""
    table = table_resource()
    item = table.get_item(Key={"pk": pk, "sk": sk})["Item"]
    del item["counted"]
    table.put_item(Item=item | {"state": state, "list_state": f"{item['list']}#{state}"})


def test_what_an_old_function_moves_during_an_update_does_not_stay_counted_where_it_was(
    world: World,
) -> None:
    world.set(Labels="cat,dog")
    image, review = world.received("1.png"), world.asked(Label("cat", 40.0), name="2.png")
    move_as_an_earlier_release(world, f"IMAGE#{image.id}", "DETECTION", DetectionState.ACCEPTED)
    move_as_an_earlier_release(world, f"REVIEW#{review}", "REVIEW", ReviewState.DONE)
    for _ in range(2):
        run_housekeeping(world.deps)

    assert counts(world) != full_count(world)
    assert shown(world) == full_count(world)


def test_of_more_records_than_are_looked_at_the_count_kept_is_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loupe.adapters.table.COUNTED_EXACTLY", 2)
    for number in range(3):
        world.received(f"{number}.png")

    assert shown(world) == full_count(world)


def test_once_all_is_counted_nothing_is_gone_through_again(earlier: World) -> None:
    records = earlier.deps.records
    assert records.count_earlier(START, 100) == 6
    assert not records.count_earlier(START + SETTLED_AFTER, 100)

    earlier.accepted("6.png")

    assert records.count_earlier(START + 2 * SETTLED_AFTER, 100) == 0
