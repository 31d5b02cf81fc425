"""One embedded stack for all tests that do not need their own."""

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from loupe_local import stack
from tests.local.stack_help import OPEN, Client, connect
from tests.ports import free_port

BUILD = Path(__file__).parents[2] / "build"

_numbers = itertools.count()


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for a stack of the test's own, which ends with the test."""
    yield from _home()


@pytest.fixture(scope="session")
def endpoint() -> Iterator[stack.Endpoint]:
    """The stack that tests share."""
    for folder in _home():
        yield stack.start(folder, free_port())


@pytest.fixture(scope="session")
def client(endpoint: stack.Endpoint) -> Client:
    """Makes clients of the shared stack, by default the operator's."""
    return lambda service, **credentials: connect(endpoint, service, **credentials)


def _home() -> Iterator[Path]:
    folder = BUILD / f"test-local-{os.getpid()}-{next(_numbers)}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        stack.stop(folder)
        shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Closes the clients that a test made."""
    yield
    while OPEN:
        OPEN.pop().close()
