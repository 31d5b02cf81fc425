"""Decide whether to train, under a lease that only one run can hold."""

from loupe.correlation import JSON, correlated
from loupe.domain.settings import Settings
from loupe.domain.training import Plan
from loupe.services.training import TrainingCheck, check_training
from loupe.wiring import deps


@correlated
def handler(payload: JSON, context: object) -> Plan:
    """`{"execution", "settings", "deploy"?, "again"?}` -> a plan."""
    check = TrainingCheck(
        payload["execution"],
        Settings.from_parameters(payload["settings"]),
        payload.get("deploy", ""),
        payload.get("again", False),
    )
    return check_training(check, deps())
