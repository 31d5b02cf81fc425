"""Update the project's datasets to what a version is trained on."""

from dataclasses import asdict
from typing import Any

from loupe.correlation import correlated
from loupe.services.training_data import build_datasets
from loupe.wiring import deps


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"version"}` -> the progress of the datasets. Safe to repeat."""
    return asdict(build_datasets(payload["version"], deps()))
