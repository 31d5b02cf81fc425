"""The table: all writes or none, and listings in the order of time."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from loupe.adapters.conflicts import ATTEMPTS, LONGEST_PAUSE, persist
from loupe.adapters.event_log import EventLog
from loupe.adapters.table import Table, listed, put_new, save, update
from loupe.domain.detection import DetectionState
from loupe.domain.events import make_event
from loupe.domain.keys import timestamp
from loupe.errors import AlreadyDone, TryAgain
from tests.adapters.world import START, World


def test_a_write_and_its_event_happen_together(world: World) -> None:
    told = make_event("SettingsApplied", "1", START, reason="x")

    world.deps.table.write([put_new({"pk": "A", "sk": "A"})], [told])

    assert world.deps.table.get("A", "A") is not None
    assert [e["id"] for e in world.events()] == [told.id]


def test_when_a_condition_fails_nothing_is_written_and_nothing_is_told(world: World) -> None:
    table = world.deps.table
    table.write([put_new({"pk": "A", "sk": "A"})])

    with pytest.raises(AlreadyDone):
        table.write(
            [save({"pk": "B", "sk": "B", "n": 1}), put_new({"pk": "A", "sk": "A"})],
            [make_event("SettingsApplied", "1", START, reason="x")],
        )

    assert table.get("B", "B") is None
    assert world.events() == []


def test_an_event_written_again_stays_as_it_is_and_counts_once(world: World) -> None:
    table = world.deps.table
    detail: dict[str, Any] = {
        "image": "x",
        "key": "x",
        "label": "cat",
        "version": "v1",
        "labels": [],
        "reason": "",
    }
    for hour in range(3):
        told = make_event("ImageAccepted", "1", START + timedelta(hours=hour), **detail)
        table.write([put_new({"pk": "A", "sk": str(hour)})], [told])
    table.write([], [told])

    (stored,) = world.events()
    assert stored["at"] == timestamp(START)
    assert (
        sum(hour["accepted"] for hour in EventLog(table).hours(f"{START:%Y-%m-%d}").values()) == 1
    )
    assert all(table.get("A", str(hour)) for hour in range(3))


def test_of_two_events_the_one_that_is_new_is_written(world: World) -> None:
    first, second = (make_event("SettingsApplied", cause, START, reason="x") for cause in "12")
    world.deps.table.write([], [first])

    world.deps.table.write([], [first, second])

    assert {stored["id"] for stored in world.events()} == {first.id, second.id}


def test_numbers_and_bytes_come_back_as_they_were(world: World) -> None:
    item = {"pk": "A", "sk": "A", "n": 3, "f": 0.25, "b": b"\x00", "m": {"l": [1, 2.5, None]}}

    world.deps.table.write([put_new(item)])

    assert world.deps.table.get("A", "A") == item


def test_words_after_a_hash_name_attributes_that_dynamodb_reserves(world: World) -> None:
    table = world.deps.table

    table.write([update("A", "A", "SET #status = :s, #name = :n", {"s": "x", "n": "y"})])

    assert table.get("A", "A") == {"pk": "A", "sk": "A", "status": "x", "name": "y"}


def test_an_update_whose_condition_fails_changes_nothing(world: World) -> None:
    with pytest.raises(AlreadyDone):
        world.deps.table.update("A", "A", "SET x = :x", {"x": 1}, "attribute_exists(pk)")

    assert world.deps.table.get("A", "A") is None


def test_a_listing_is_newest_first_and_goes_on_behind_a_pointer(world: World) -> None:
    table = world.deps.table
    for day in ("02", "01", "03"):
        table.write(
            [put_new({"pk": day, "sk": "A", **listed("THING", f"2026-01-{day}", day, "new")})]
        )

    newest = [item["pk"] for item in table.listing("THING")]
    oldest = [item["pk"] for item in table.listing("THING", "new", newest_first=False)]
    behind = table.listing("THING", newest_first=False, after="2026-01-01#01")

    assert newest == ["03", "02", "01"]
    assert oldest == ["01", "02", "03"]
    assert [item["pk"] for item in behind] == ["02", "03"]


def test_events_expire_after_ninety_days(world: World) -> None:
    world.deps.table.write([], [make_event("SettingsApplied", "1", START, reason="x")])

    (told,) = world.events()

    assert told["expires"] == int(START.timestamp()) + 90 * 86400


# Conflicts with other writers


CONFLICT = {
    "TransactWriteItems": ClientError(
        {
            "Error": {"Code": "TransactionCanceledException"},
            "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}],
        },
        "TransactWriteItems",
    ),
    "UpdateItem": ClientError({"Error": {"Code": "TransactionConflictException"}}, "UpdateItem"),
    "DeleteItem": ClientError({"Error": {"Code": "TransactionConflictException"}}, "DeleteItem"),
}


@pytest.fixture
def keep_out(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """Let other transactions refuse the next writes so many times; the writes that were tried."""
    monkeypatch.setattr("loupe.adapters.conflicts.sleep", lambda _seconds: None)

    def refuse(times: int) -> list[str]:
        tried: list[str] = []

        def call(client: Any, operation: str, request: dict[str, Any]) -> Any:
            if operation in CONFLICT:
                tried.append(str(request))
                if len(tried) <= times:
                    raise CONFLICT[operation]
            return make_api_call(client, operation, request)

        make_api_call = BaseClient._make_api_call  # type: ignore[attr-defined]
        monkeypatch.setattr(BaseClient, "_make_api_call", call)
        return tried

    return refuse


WRITES: dict[str, Callable[[Table], Any]] = {
    "write": lambda table: table.write([put_new({"pk": "A", "sk": "A"})]),
    "update": lambda table: table.update("A", "A", "SET x = :x", {"x": 1}),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_that_another_transaction_keeps_out_is_tried_again(
    world: World, keep_out: Callable[[int], list[str]], write: Callable[[Table], Any]
) -> None:
    tried = keep_out(ATTEMPTS - 1)

    write(world.deps.table)

    assert len(tried) == ATTEMPTS


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_that_is_kept_out_for_long_is_left_to_the_caller(
    world: World, keep_out: Callable[[int], list[str]], write: Callable[[Table], Any]
) -> None:
    tried = keep_out(ATTEMPTS)

    with pytest.raises(TryAgain):
        write(world.deps.table)

    assert len(tried) == ATTEMPTS


def test_an_image_that_meets_others_counts_in_another_shard_and_once(
    world: World, keep_out: Callable[[int], list[str]]
) -> None:
    tried = keep_out(5)

    world.received()

    shards = {re.findall(r"'pk': 'COUNTS', 'sk': '(\d+)'", request)[0] for request in tried}
    assert len(shards) > 2
    assert world.deps.detections.counts() == {DetectionState.WAITING: 1}


def test_a_condition_that_does_not_hold_is_not_tried_again(
    world: World, keep_out: Callable[[int], list[str]]
) -> None:
    world.deps.table.write([put_new({"pk": "A", "sk": "A"})])
    tried = keep_out(0)

    with pytest.raises(AlreadyDone):
        world.deps.table.write([put_new({"pk": "A", "sk": "A"})])

    assert len(tried) == 1


@given(st.integers(0, ATTEMPTS))
def test_pauses_are_random_and_short(conflicts: int) -> None:
    pauses: list[float] = []

    def write(attempt: int) -> int:
        if attempt < conflicts:
            raise TryAgain("busy")
        return attempt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("loupe.adapters.conflicts.sleep", pauses.append)
        if conflicts < ATTEMPTS:
            assert persist(write) == conflicts
        else:
            with pytest.raises(TryAgain):
                persist(write)

    assert len(pauses) == min(conflicts, ATTEMPTS - 1)
    assert all(0 <= pause <= LONGEST_PAUSE for pause in pauses)


# Counting in an index


def test_an_index_is_counted_up_to_the_limit_however_small_its_pages_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        item = {"pk": str(number), "sk": "A", **listed("THING", "2026-01-01", str(number), "new")}
        world.deps.table.write([put_new(item)])
    query = world.deps.table._table.query

    def of_two(**request: Any) -> Any:
        return query(**request | {"Limit": min(2, request["Limit"])})

    monkeypatch.setattr(world.deps.table._table, "query", of_two)

    count = world.deps.table.count

    assert [count("THING", "new", limit) for limit in (1, 3, 5, 9)] == [1, 3, 5, 5]
