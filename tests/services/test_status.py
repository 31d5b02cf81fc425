"""Business rule: a person is told what improves the model now, what comes next, and why not."""

from datetime import timedelta

import pytest

from loupe.domain.versions import VersionStatus
from loupe.services.status import Activity, activity, cost_of_models, next_check
from tests.adapters.world import World


@pytest.mark.parametrize("status", ["below_gate", "not_better", "training_failed", "rejected"])
def test_a_version_that_did_not_go_into_service_is_named_with_the_reason(
    world: World, status: VersionStatus
) -> None:
    world.version("v1", status, reason="its F1 is below the minimum")

    said = activity(world.deps).text

    assert "waits for new labelled images" in said
    assert "v1 did not go into service: its F1 is below the minimum" in said


def test_of_several_versions_the_newest_is_named(world: World) -> None:
    for name in ("v1", "v2", "v3"):
        world.version(name, VersionStatus.BELOW_GATE, reason=f"{name} is weak")

    assert [version.name for version in world.deps.versions.newest()] == ["v3", "v2", "v1"]
    assert "v3 did not go into service: v3 is weak" in activity(world.deps).text


@pytest.mark.parametrize("status", ["in_service", "replaced", "imported"])
def test_a_version_that_is_or_was_in_service_needs_no_word(
    world: World, status: VersionStatus
) -> None:
    world.version("v1", status)

    assert "v1" not in activity(world.deps).text


@pytest.fixture
def at_work(world: World) -> World:
    """A training run that is active."""
    world.deps.versions.take_lease("arn:run", over="")
    world.executions.running.add("arn:run")
    return world


@pytest.mark.parametrize(
    ("model_status", "text"),
    [
        ("", "Training v2"),
        ("TRAINING_IN_PROGRESS", "Training v2"),
        ("TRAINING_COMPLETED", "Trying out v2"),
        ("RUNNING", "Trying out v2"),
    ],
)
def test_a_version_is_trained_first_and_tried_out_then(
    at_work: World, model_status: str, text: str
) -> None:
    at_work.version("v2", VersionStatus.TRAINING)
    at_work.rekognition.become("v2", model_status)

    now = activity(at_work.deps)

    assert now == Activity(text, since="2026-01-01T00:00:00.000Z")


def test_a_version_that_waits_for_approval_is_named_for_the_buttons(at_work: World) -> None:
    at_work.version("v2", VersionStatus.WAITING_FOR_APPROVAL)

    now = activity(at_work.deps)

    assert now == Activity("v2 waits for approval", "2026-01-01T00:00:00.000Z", "v2")


def test_a_training_run_without_a_version_of_its_own_checks(at_work: World) -> None:
    assert activity(at_work.deps).text.startswith("Checking whether to train")


def test_a_version_that_runs_costs_its_units_by_the_hour(world: World) -> None:
    """Given two hours of a version with two inference units, which runs on."""
    start = world.deps.now
    world.deps.running.record("v1", None, start, "RUNNING", 2)
    look = world.deps.running.look("v1")
    world.deps.running.record("v1", look, start + timedelta(hours=2), "RUNNING", 2)

    spent = cost_of_models(world.deps)

    assert (spent.unit_hours_month, spent.month, spent.today) == (4, 16, 16)
    assert spent.hourly == 8


def test_the_next_check_is_foretold_without_making_it(world: World) -> None:
    for number in range(10):
        world.labelled("cat" if number % 2 else "dog", f"{number}.png", number)

    plan = next_check(world.deps)

    assert plan.action == "train"
    assert next_check(world.deps) == plan
    assert world.deps.versions.lease_holder() == ""


def test_during_a_training_run_the_next_check_does_nothing(world: World) -> None:
    world.deps.versions.take_lease("arn:run", over="")
    world.executions.running.add("arn:run")

    assert "is active" in next_check(world.deps).reason
