"""Business rule: everybody who works with Loupe sees on one page how it goes."""

from datetime import timedelta

import pytest

from loupe.adapters.rekognition import VersionState
from loupe.console.access import ROLES
from loupe.domain.detection import Label
from loupe.domain.versions import VersionStatus
from loupe.services.serving import observe
from tests.adapters.world import START, World
from tests.console.console import Console, make_schedules

NOT_SURE = Label("cat", 40.0)


@pytest.fixture(autouse=True)
def schedules(world: World) -> None:
    make_schedules(world)


def in_service(world: World, name: str, **more: float) -> None:
    """Given a version that answers."""
    world.version(name, VersionStatus.TRAINING, arn=f"arn:{name}", **more)
    versions = world.deps.versions
    versions.promote(versions.get(name), versions.service(), "2026-01-01T11:00:00.000Z", "", [])


@pytest.mark.parametrize("role", ROLES)
def test_who_is_signed_in_is_told_so(console: Console, role: str) -> None:
    assert console.ok("GET", "/api/me", groups=f"[x {role}]", name="bob") == {
        "name": "bob",
        "roles": [role],
    }


def test_a_new_stack_says_what_it_waits_for(console: Console) -> None:
    overview = console.ok("GET", "/api/overview")

    assert overview["next_check"] > "2026-01-01T12"
    assert overview | {"next_check": None} == {
        "service": None,
        "cost": {
            "billed": True,
            "hourly": 0,
            "today": 0,
            "month": 0,
            "unit_hours_month": 0,
        },
        "waiting": 0,
        "open_reviews": 0,
        "queued_reviews": 0,
        "conflicts": 0,
        "doing": {
            "text": "Nothing: it waits for new labelled images",
            "since": None,
            "waits_for_approval": "",
        },
        "next_check": None,
        "new_labelled_images": 0,
        "needed_to_train": 10,
        "training": {"due": False, "reason": overview["training"]["reason"]},
        "compared": {"images": 0, "scores": []},
        "hours": [],
    }
    assert "upload 10 more" in overview["training"]["reason"]


def test_the_version_in_service_is_shown_as_the_service_sees_it(
    console: Console, world: World
) -> None:
    in_service(world, "v1", f1=0.875, settled=12)
    world.rekognition.states["v1"] = VersionState("RUNNING", "arn:v1", units=2)

    assert console.ok("GET", "/api/overview")["service"] == {
        "version": "v1",
        "f1": 0.875,
        "since": "2026-01-01T11:00:00.000Z",
        "settled": 12,
        "model_status": "RUNNING",
        "units": 2,
        "cannot_start": "",
    }


def test_what_waits_is_counted_by_what_it_waits_for(console: Console, world: World) -> None:
    world.set(Labels="cat,dog")
    for number in range(3):
        world.received(f"waiting {number}.png", number)
    for number in range(2):
        world.asked(NOT_SURE, name=f"open {number}.png", version="v1", picture=10 + number)
    world.set(Reviewers_Per_Image="2")
    conflict = world.asked(name="conflict.png", picture=20)
    world.taken_in(world.answered(conflict, "cat", "dog"))
    world.set(Maximum_Reviews_Per_Day="1")
    world.asked(NOT_SURE, name="queued.png", version="v1", picture=21)

    overview = console.ok("GET", "/api/overview")

    assert (overview["waiting"], overview["open_reviews"], overview["conflicts"]) == (3, 2, 1)
    assert overview["queued_reviews"] == 1


def test_new_labelled_images_and_how_many_are_needed(console: Console, world: World) -> None:
    for number in range(4):
        world.labelled("cat" if number % 2 else "dog", f"{number}.png", number)
    world.set(Minimum_Untrained_Images="4")

    overview = console.ok("GET", "/api/overview")

    assert (overview["new_labelled_images"], overview["needed_to_train"]) == (4, 4)
    assert overview["training"]["due"] is True


def test_a_version_that_waits_for_approval_is_named(console: Console, world: World) -> None:
    world.version("v1", VersionStatus.WAITING_FOR_APPROVAL)
    world.deps.versions.take_lease("arn:run", over="")
    world.executions.running.add("arn:run")

    assert console.ok("GET", "/api/overview")["doing"] == {
        "text": "v1 waits for approval",
        "since": "2026-01-01T00:00:00.000Z",
        "waits_for_approval": "v1",
    }


def test_what_was_compared_last_is_shown_older_version_first(
    console: Console, world: World
) -> None:
    world.version("v1", VersionStatus.IN_SERVICE)
    comparison = {
        "challenger": {"f1": 0.9, "images": 40},
        "champion_version": "v1",
        "f1": [0.75, 0.5],
        "images": 30,
    }
    world.version("v2", VersionStatus.NOT_BETTER, comparison=comparison)
    world.version("v3", VersionStatus.TRAINING)

    assert console.ok("GET", "/api/overview")["compared"] == {
        "images": 30,
        "scores": [{"name": "v1", "f1": 0.5}, {"name": "v2", "f1": 0.75}],
    }


def test_hours_of_the_last_14_days_are_listed_oldest_first(console: Console, world: World) -> None:
    for back in (15, 14, 0):
        world.deps.now = START - timedelta(days=back)
        world.accepted(f"{back} days ago.png")
    world.accepted("another.png")

    hours = console.ok("GET", "/api/overview")["hours"]

    assert [(hour["at"], hour["accepted"], hour["failed"]) for hour in hours] == [
        ("2025-12-18T12:00:00.000Z", 1, 0),
        ("2026-01-01T12:00:00.000Z", 2, 0),
    ]


def test_what_runs_costs_by_the_hour_and_what_ran_stays_counted(
    console: Console, world: World
) -> None:
    world.version("v1")
    observe("v1", "RUNNING", 2, world.deps)
    world.deps.now += timedelta(minutes=30)
    observe("v1", "RUNNING", 2, world.deps)

    cost = console.ok("GET", "/api/overview")["cost"]

    assert cost["hourly"] == 8.0
    assert cost["today"] == cost["month"] == pytest.approx(4.0, abs=0.01)
    assert cost["unit_hours_month"] == pytest.approx(1.0, abs=0.01)
