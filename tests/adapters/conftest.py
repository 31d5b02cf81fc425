"""AWS in memory (moto), with the table, bucket, queue and parameters of the template itself."""

from collections.abc import Iterator

import pytest
from moto import mock_aws
from moto.moto_api._internal.models import moto_api_backend

from tests.adapters.world import World


@pytest.fixture(scope="session")
def _aws() -> Iterator[None]:
    """moto is set up once: that takes longer than most tests."""
    with mock_aws():
        yield


@pytest.fixture
def world(_aws: None) -> World:
    """A deployed Loupe without functions and state machines; nothing is in it yet."""
    moto_api_backend.reset()
    return World()
