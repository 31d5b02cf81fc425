"""Train a version, or say how far its training is."""

from loupe.correlation import JSON, correlated
from loupe.services.training import TrainingProgress, train
from loupe.wiring import deps


@correlated
def handler(payload: JSON, context: object) -> TrainingProgress:
    """`{"version"}` -> the progress of its training. The first call starts it."""
    return train(payload["version"], deps())
