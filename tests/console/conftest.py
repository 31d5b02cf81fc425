"""The console over the stack in memory that tests of adapters have."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.conftest import _aws, world
from tests.adapters.world import World
from tests.console.console import Console, console_of

__all__ = ["_aws", "world"]


@pytest.fixture
def console(world: World, tmp_path: Path) -> Iterator[Console]:
    """The console of a Loupe in which nothing is yet."""
    with console_of(world, tmp_path) as console:
        yield console
