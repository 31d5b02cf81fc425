"""Update the project's datasets to what a version is trained on."""

from loupe.correlation import JSON, correlated
from loupe.services.training_data import DatasetProgress, build_datasets
from loupe.wiring import deps


@correlated
def handler(payload: JSON, context: object) -> DatasetProgress:
    """`{"version"}` -> the progress of the datasets. Safe to repeat."""
    return build_datasets(payload["version"], deps())
