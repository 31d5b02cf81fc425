"""What Loupe says that models cost is what the service's own log of running models comes to."""

import sqlite3
import time
from contextlib import closing

import pytest

from loupe.domain.running_hours import DOLLARS_PER_UNIT_HOUR
from loupe.services.serving import switch_service
from loupe.services.status import cost_of_models
from loupe_local.environment import Home
from tests.stack.conftest import Stack, until
from tests.stack.pictures import digits

pytestmark = pytest.mark.stack

RUN_SECONDS = 30
"""A look too much for each start is a second here, and must not matter."""


@pytest.fixture(scope="module")
def ran(stack: Stack) -> Stack:
    """A first version that took over and was stopped, and a second one that won and was stopped."""
    stack.set(Minimum_F1_Score="0", Minimum_Untrained_Images="1", Minimum_F1_Improvement="-1")
    for digit in (0, 1):
        for number, image in enumerate(digits()[digit][:6]):
            stack.put(f"images_labeled_by_folder/{digit}/{number}.png", image)
    stack.registered(12)
    assert stack.train()["outcome"] == "in_service"
    time.sleep(RUN_SECONDS)
    stopped(stack)
    stack.put("images_labeled_by_folder/0/more.png", digits()[0][10])
    stack.registered(13)
    assert stack.train()["outcome"] == "in_service"
    time.sleep(RUN_SECONDS)
    stopped(stack)
    return stack


def stopped(stack: Stack) -> None:
    """Stop the model in service by hand, and wait until nothing runs."""
    switch_service(False, "ann", stack.deps)
    until(lambda: set(stack.models().values()) <= {"STOPPED", "TRAINING_COMPLETED"} or None, 60)


def logged_unit_hours(stack: Stack) -> float:
    """What AWS would bill: the service's own log."""
    with closing(sqlite3.connect(Home(stack.home).database)) as database:
        query = "SELECT SUM(units * (ended - began)) FROM run"
        return float(database.execute(query).fetchone()[0]) / 3600


def test_the_cost_is_that_of_the_services_own_log_over_promotions_and_stops(ran: Stack) -> None:
    found = cost_of_models(ran.deps)

    logged = logged_unit_hours(ran)
    assert found.month == pytest.approx(logged * DOLLARS_PER_UNIT_HOUR, rel=0.05)
    assert found.hourly == 0
    assert not found.billed
