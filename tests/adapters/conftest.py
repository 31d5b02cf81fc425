"""AWS in memory (moto), with the table, bucket, queue and parameters of the template itself."""

from collections.abc import Iterator

import pytest
from jsonschema import validate
from moto import mock_aws
from moto.moto_api._internal.models import moto_api_backend

from loupe.services.events import PUBLISHED
from tests.adapters import quick_moto
from tests.adapters.world import World
from tests.template.reading import STACK
from tools.event_page import schema


@pytest.fixture(scope="session")
def _aws() -> Iterator[None]:
    """moto is set up once: that takes longer than most tests."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        quick_moto.install(patch)
        yield


@pytest.fixture
def world(_aws: None) -> Iterator[World]:
    """A deployed Loupe without functions and state machines; nothing is in it yet.

    Whatever a test makes it tell must be as the events' schemas say.
    """
    moto_api_backend.reset()
    world = World()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "loupe.services.comparison.PARALLEL", 1
        )  # What is in memory is not for threads.
        yield world
    for event in world.events():
        document = {name: event[name] for name in PUBLISHED} | {"stack": STACK}
        validate(document, schema(event["type"]))
