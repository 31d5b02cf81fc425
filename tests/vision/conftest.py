"""One model of drawn logos for all tests: the last image of each label is for testing."""

import pytest

from loupe_local.vision import Model, train

from .drawn import logos


@pytest.fixture(scope="session")
def logo_model() -> Model:
    examples = logos()
    held = [examples[4], examples[9]]
    return train([example for example in examples if example not in held], held)
