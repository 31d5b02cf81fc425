"""Decide whether to train, under a lease that only one run can hold."""

from dataclasses import asdict
from typing import Any

from loupe.correlation import correlated
from loupe.domain.settings import Settings
from loupe.services.training import TrainingCheck, check_training
from loupe.wiring import deps


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"execution", "settings", "deploy"?, "again"?}` -> a plan."""
    check = TrainingCheck(
        payload["execution"],
        Settings.from_parameters(payload["settings"]),
        payload.get("deploy", ""),
        payload.get("again", False),
    )
    return asdict(check_training(check, deps()))
