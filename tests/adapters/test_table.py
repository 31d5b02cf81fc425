"""The table: all writes or none, and listings in the order of time."""

import pytest

from loupe.adapters.table import listed, put, update
from loupe.domain.events import event
from loupe.errors import AlreadyDone
from tests.adapters.world import START, World


def test_a_write_and_its_event_happen_together(world: World) -> None:
    told = event("SettingsApplied", "1", START, reason="x")

    world.deps.table.put_new({"pk": "A", "sk": "A"}, [told])

    assert world.deps.table.get("A", "A") is not None
    assert [e["id"] for e in world.events()] == [told.id]


def test_when_a_condition_fails_nothing_is_written_and_nothing_is_told(world: World) -> None:
    table = world.deps.table
    table.put_new({"pk": "A", "sk": "A"})

    with pytest.raises(AlreadyDone):
        table.write(
            [put({"pk": "B", "sk": "B"}), put({"pk": "A", "sk": "A"}, "attribute_not_exists(pk)")],
            [event("SettingsApplied", "1", START, reason="x")],
        )

    assert table.get("B", "B") is None
    assert world.events() == []


def test_numbers_and_bytes_come_back_as_they_were(world: World) -> None:
    item = {"pk": "A", "sk": "A", "n": 3, "f": 0.25, "b": b"\x00", "m": {"l": [1, 2.5, None]}}

    world.deps.table.put_new(item)

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
        table.put_new({"pk": day, "sk": "A", **listed("THING", f"2026-01-{day}", day, "new")})

    newest = [item["pk"] for item in table.listing("listing", "THING")]
    oldest = [item["pk"] for item in table.listing("states", "THING#new", newest_first=False)]
    behind = table.listing("listing", "THING", newest_first=False, after="2026-01-01#01")

    assert newest == ["03", "02", "01"]
    assert oldest == ["01", "02", "03"]
    assert [item["pk"] for item in behind] == ["02", "03"]


def test_events_expire_after_ninety_days(world: World) -> None:
    world.deps.table.write([], [event("SettingsApplied", "1", START, reason="x")])

    (told,) = world.events()

    assert told["expires"] == int(START.timestamp()) + 90 * 86400
