"""People use a stack while its server and functions are killed: nothing acknowledged is lost.

The fast part of `make faults`: few kills, all invariants.
"""

from collections.abc import Iterator

import pytest

from tests.faults.run import Run
from tests.stack.conftest import fresh

pytestmark = pytest.mark.stack

SERVERS, FUNCTIONS = 3, 7


@pytest.fixture(scope="module")
def run(built: None) -> Iterator[Run]:
    """A run on a stack whose state machines wait a tenth of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SFN_WAIT_SCALE", "0.1")
        for stack in fresh("kills"):
            yield Run(stack, seed=1)


def test_what_must_hold_holds_after_ten_kills(run: Run) -> None:
    outcomes = run.go(SERVERS, FUNCTIONS)

    failed = [str(outcome) for outcome in outcomes if outcome.offenders]
    assert not failed, "\n".join([*failed, *run.log])
    assert sum(run.killer.killed[what] for what in ("server", "function")) == SERVERS + FUNCTIONS
