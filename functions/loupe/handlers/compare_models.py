"""Score a new version and the one in service on the same holdout images, and judge."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from loupe.adapters.versions import Version
from loupe.correlation import correlated
from loupe.domain.comparison import (
    Holdout,
    Prediction,
    Predictions,
    judge,
    sample,
    score,
)
from loupe.domain.dataset import TEST
from loupe.domain.detection import Label
from loupe.domain.manifest import parse
from loupe.domain.places import ImageRef
from loupe.errors import UnusableImage
from loupe.handlers.build_dataset import manifest_key
from loupe.handlers.run_model import STOPPED, bring
from loupe.handlers.run_model import Request as Running
from loupe.settings import Settings
from loupe.wiring import Deps, deps

IMAGES_PER_CALL = 100
"""So that one call ends well within the function's timeout at 5 detections a second."""
PARALLEL = 4


@dataclass(frozen=True)
class Compared:
    """`status` is "scoring" (call again), "champion_needed" (start it first) or "decided".

    `was_stopped`: nobody else starts the champion just now, so that it is to be stopped again.
    """

    status: str
    passed: bool = False
    reason: str = ""
    champion: str = ""
    was_stopped: bool = False


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"version", "settings"}` -> how far the comparison is."""
    settings = Settings.from_parameters(payload["settings"])
    return asdict(compare(payload["version"], settings, deps()))


def compare(name: str, settings: Settings, deps: Deps) -> Compared:
    """One step: score what was not scored yet, or judge."""
    challenger = deps.versions.get(name)
    holdout = holdout_of(name, deps)
    service = deps.versions.service()
    champion = deps.versions.get(service.version) if service.version not in ("", name) else None
    for version in filter(None, (challenger, champion)):
        missing = unscored(version, holdout, deps)
        if missing and version == champion:
            status = deps.rekognition.version(version.name).status
            if status != "RUNNING":
                stopped = status != "STARTING"
                if stopped:
                    deps.versions.lend(version.name, deps.versions.lease_holder())
                return Compared("champion_needed", champion=version.name, was_stopped=stopped)
        score_images(version, missing[:IMAGES_PER_CALL], deps)
        if len(missing) > IMAGES_PER_CALL:
            return Compared("scoring")
    return _judge(challenger, champion, holdout, settings, deps)


def return_champion(deps: Deps) -> None:
    """Business rule: a champion that was started for a comparison does not run on after it, also
    when the run that started it was cut off."""
    version, holder = deps.versions.lent()
    if version and not deps.executions.is_running(holder):
        bring(Running(version, STOPPED, "it ran for a comparison only, which is over"), False, deps)


def holdout_of(version: str, deps: Deps) -> list[Holdout]:
    """The images that versions are compared on when `version` is the challenger."""
    manifest = deps.objects.read(manifest_key(version, TEST)).decode()
    return sample([Holdout(e.content, e.uri, e.label, e.source) for e in parse(manifest)])


def unscored(version: Version, holdout: Sequence[Holdout], deps: Deps) -> list[Holdout]:
    """Images that the version was never asked about."""
    known = deps.versions.predictions(version.name)
    return [image for image in holdout if image.content not in known]


def score_images(version: Version, images: Sequence[Holdout], deps: Deps) -> None:
    """Ask the version about images, a few at a time, and keep what it says."""

    def ask(image: Holdout) -> None:
        deps.versions.save_prediction(version.name, image.content, predict(version, image, deps))

    if images:
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(ask, images))


def predict(version: Version, image: Holdout, deps: Deps) -> Prediction:
    """The surest label; an image that cannot be read (any more) counts as not recognised."""
    bucket, _, key = image.uri.removeprefix("s3://").partition("/")
    try:
        labels = deps.rekognition.detect(version.arn, ImageRef(bucket, key, "", "", 0))
    except UnusableImage:
        labels = ()
    top: Label | None = labels[0] if labels else None
    return Prediction(top.name, top.confidence) if top else Prediction(None, 0.0)


def _judge(
    challenger: Version,
    champion: Version | None,
    holdout: Sequence[Holdout],
    settings: Settings,
    deps: Deps,
) -> Compared:
    new = deps.versions.predictions(challenger.name)
    old = deps.versions.predictions(champion.name) if champion else None
    verdict = judge(
        holdout,
        new,
        old,
        challenger.labels,
        champion.labels if champion else (),
        settings.minimum_f1,
        settings.minimum_improvement,
    )
    comparison: dict[str, Any] = {
        "challenger": _scored(challenger, holdout, new, settings),
        "passed": verdict.passed,
        "f1": list(verdict.f1) if verdict.f1 else None,
        "images": verdict.images,
        "difference": verdict.difference,
        "interval": list(verdict.interval) if verdict.interval else None,
        "champion_version": champion.name if champion else "",
    }
    if champion and old is not None:
        comparison["champion"] = _scored(champion, holdout, old, settings)
    deps.versions.save(challenger, comparison=comparison)
    return Compared("decided", verdict.passed, verdict.reason, champion.name if champion else "")


def _scored(
    version: Version, holdout: Sequence[Holdout], predictions: Predictions, settings: Settings
) -> dict[str, Any]:
    return asdict(score(holdout, predictions, version.labels, settings.minimum_confidence))
