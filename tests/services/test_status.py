"""Business rule: a person is told what improves the model now, what comes next, and why not."""

import pytest

from loupe.domain.versions import VersionStatus
from loupe.services.status import activity, next_check
from tests.adapters.world import World


@pytest.mark.parametrize("status", ["below_gate", "not_better", "training_failed", "rejected"])
def test_a_version_that_did_not_go_into_service_is_named_with_the_reason(
    world: World, status: VersionStatus
) -> None:
    world.version("v1", status, reason="its F1 is below the minimum")

    said = activity(world.deps).text

    assert "waits for new labelled images" in said
    assert "v1 did not go into service: its F1 is below the minimum" in said


@pytest.mark.parametrize("status", ["in_service", "replaced", "imported"])
def test_a_version_that_is_or_was_in_service_needs_no_word(
    world: World, status: VersionStatus
) -> None:
    world.version("v1", status)

    assert "v1" not in activity(world.deps).text


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
