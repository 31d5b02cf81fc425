"""Smoke test: a version that has just been started must answer before it takes over."""

from typing import Any

from loupe.correlation import correlated
from loupe.errors import ServiceRefused
from loupe.handlers.compare_models import holdout_of, predict
from loupe.wiring import Deps, deps


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"version"}` -> `{"answered"}`. Raises TryAgain or ServiceRefused when it does not."""
    return {"answered": prove(payload["version"], deps())}


def prove(name: str, deps: Deps) -> str:
    """Ask the version about one image of its own holdout; any answer will do."""
    version = deps.versions.get(name)
    images = holdout_of(name, deps)
    if not images:
        raise ServiceRefused(f"{name} has no holdout image to be tried with")
    answer = predict(version, images[0], deps)
    return answer.label or "nothing"
