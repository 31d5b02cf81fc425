"""Train a version, or say how its training goes."""

from dataclasses import asdict, dataclass
from typing import Any

from loupe.adapters.versions import Version
from loupe.correlation import correlated
from loupe.domain.events import event
from loupe.wiring import Deps, deps


@dataclass(frozen=True)
class Trained:
    """`status` is "training", "trained" or "failed"; `f1` the service's own, once trained."""

    status: str
    f1: float = 0.0
    reason: str = ""


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"version"}` -> how its training goes. The first call starts it; each later one looks."""
    return asdict(train(payload["version"], deps()))


def train(name: str, deps: Deps) -> Trained:
    """Start the training of `name` unless it was started, and say how it goes."""
    state = deps.rekognition.version(name)
    version = deps.versions.get(name)
    if not state.status:
        return _start(version, deps)
    if state.status == "TRAINING_IN_PROGRESS":
        return Trained("training")
    if state.status == "TRAINING_FAILED":
        return Trained("failed", reason=state.message or "the service gave no reason")
    if version.f1 is None or version.arn != state.arn:
        deps.versions.save(version, f1=state.f1 or 0.0, arn=state.arn)
    return Trained("trained", state.f1 or 0.0)


def _start(version: Version, deps: Deps) -> Trained:
    arn = deps.rekognition.train(version.name, deps.objects.bucket)
    told = event(
        "TrainingStarted",
        version.name,
        deps.clock(),
        version=version.name,
        training_images=version.training_images,
        holdout_images=version.holdout_images,
        labels=list(version.labels),
        reason=version.reason,
    )
    deps.versions.save(version, [told], arn=arn)
    return Trained("training")
