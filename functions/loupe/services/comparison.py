"""Score a new version and the one in service on the same holdout images, and judge."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from loupe.domain.comparison import (
    HoldoutImage,
    Prediction,
    Predictions,
    judge,
    sample,
    score,
)
from loupe.domain.detection import Label
from loupe.domain.keys import ImageRef
from loupe.domain.labelled_images import Split
from loupe.domain.manifest import parse
from loupe.domain.model_state import ModelStatus
from loupe.domain.settings import Settings
from loupe.domain.versions import Version
from loupe.errors import ServiceRefused, UnusableImage
from loupe.services.serving import StateChange as Running
from loupe.services.serving import set_state
from loupe.services.training_data import manifest_key
from loupe.wiring import Deps

IMAGES_PER_CALL = 100
"""So that one call ends well within the function's timeout at 5 detections a second."""
PARALLEL = 4


@dataclass(frozen=True)
class ComparisonProgress:
    """`status` is "scoring" (call again), "champion_needed" (start it first) or "decided".

    `was_stopped`: nobody else starts the champion just now, so that it is to be stopped again.
    """

    status: str
    passed: bool = False
    reason: str = ""
    champion: str = ""
    was_stopped: bool = False


def compare(name: str, settings: Settings, deps: Deps) -> ComparisonProgress:
    """One step: score what was not scored yet, or judge."""
    challenger = deps.versions.get(name)
    holdout = holdout_of(name, deps)
    service = deps.versions.service()
    champion = deps.versions.get(service.version) if service.version not in ("", name) else None
    for version in filter(None, (challenger, champion)):
        missing = unscored(version, holdout, deps)
        if missing and version == champion:
            status = deps.rekognition.version(version.name).status
            if status != ModelStatus.RUNNING:
                stopped = status != ModelStatus.STARTING
                if stopped:
                    deps.versions.lend(version.name, deps.versions.lease_holder())
                return ComparisonProgress(
                    "champion_needed", champion=version.name, was_stopped=stopped
                )
        score_images(version, missing[:IMAGES_PER_CALL], deps)
        if len(missing) > IMAGES_PER_CALL:
            return ComparisonProgress("scoring")
    return _judge(challenger, champion, holdout, settings, deps)


def return_champion(deps: Deps) -> None:
    """Business rule: a champion that was started for a comparison does not run on after it, also
    when the run that started it was cut off."""
    version, holder = deps.versions.lent()
    if version and not deps.executions.is_running(holder):
        set_state(
            Running(version, ModelStatus.STOPPED, "it ran for a comparison only, which is over"),
            False,
            deps,
        )


def holdout_of(version: str, deps: Deps) -> list[HoldoutImage]:
    """The images that versions are compared on when `version` is the challenger."""
    manifest = deps.objects.read(manifest_key(version, Split.TEST)).decode()
    return sample([HoldoutImage(e.content, e.uri, e.label, e.source) for e in parse(manifest)])


def unscored(version: Version, holdout: Sequence[HoldoutImage], deps: Deps) -> list[HoldoutImage]:
    """Images that the version was never asked about."""
    known = deps.versions.predictions(version.name)
    return [image for image in holdout if image.content not in known]


def score_images(version: Version, images: Sequence[HoldoutImage], deps: Deps) -> None:
    """Ask the version about images, a few at a time, and keep what it says."""

    def ask(image: HoldoutImage) -> None:
        deps.versions.save_prediction(version.name, image.content, predict(version, image, deps))

    if images:
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(ask, images))


def predict(version: Version, image: HoldoutImage, deps: Deps) -> Prediction:
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
    holdout: Sequence[HoldoutImage],
    settings: Settings,
    deps: Deps,
) -> ComparisonProgress:
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
    return ComparisonProgress(
        "decided", verdict.passed, verdict.reason, champion.name if champion else ""
    )


def _scored(
    version: Version, holdout: Sequence[HoldoutImage], predictions: Predictions, settings: Settings
) -> dict[str, Any]:
    return asdict(score(holdout, predictions, version.labels, settings.minimum_confidence))


def smoke_test(name: str, deps: Deps) -> str:
    """Ask the version about one image of its own holdout; any answer will do."""
    version = deps.versions.get(name)
    images = holdout_of(name, deps)
    if not images:
        raise ServiceRefused(f"{name} has no holdout image to be tried with")
    answer = predict(version, images[0], deps)
    return answer.label or "nothing"
