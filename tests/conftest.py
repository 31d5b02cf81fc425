"""What all tests share: the same examples on every run, and how `pytest -n` divides the tests."""

from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

settings.register_profile("loupe", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("loupe")

TOGETHER = "tests/local"
"""Files that share one embedded stack; the last of them looks at what the others called."""

LONGEST = (
    "test_faults.py",
    "test_operator.py",
    "test_deletion.py",
    "test_a2i.py",
    "test_teardown.py",
    "test_neighbours.py",
    "test_export.py",
    "test_console.py",
)
"""Files to begin with, so that at the end of a parallel run no worker is left alone with one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Nothing is reordered within a file."""
    items.sort(key=lambda item: _rank(item.path))


def _rank(file: Path) -> int:
    return LONGEST.index(file.name) if file.name in LONGEST else len(LONGEST)


class _FileByFile(LoadScopeScheduling):  # type: ignore[misc]
    """A worker gets a whole file, which often has a stack of its own, or all of `TOGETHER`."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return TOGETHER if file.startswith(f"{TOGETHER}/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Asked for by `pytest -n`."""
    return _FileByFile(config, log)
