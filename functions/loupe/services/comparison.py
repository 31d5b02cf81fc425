"""Score a new version and the one in service on the same holdout images, and judge."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from loupe.domain.comparison import Demands, Prediction, Predictions, judge, sample, score
from loupe.domain.keys import ImageRef
from loupe.domain.labelled_images import Split
from loupe.domain.manifest import ManifestEntry
from loupe.domain.model_state import ModelStatus
from loupe.domain.settings import Settings
from loupe.domain.versions import Version
from loupe.errors import NotFound, ServiceRefused, UnusableImage
from loupe.services.serving import StateChange, set_state
from loupe.services.training_data import manifest_entries
from loupe.wiring import Deps

IMAGES_PER_CALL = 100
"""At 5 detections a second, one call ends well within the function's timeout."""
PARALLEL = 4


@dataclass(frozen=True)
class ComparisonProgress:
    """`status` is "scoring" (call again), "champion_needed" (start it first) or "decided".

    `was_stopped`: the champion runs for the comparison only and is to be stopped after it.
    """

    status: str
    passed: bool = False
    reason: str = ""
    champion: str = ""
    was_stopped: bool = False


def compare(name: str, settings: Settings, deps: Deps) -> ComparisonProgress:
    """One step: score images that have no score yet, or judge."""
    challenger, holdout = deps.versions.get(name), holdout_of(name, deps)
    service = deps.versions.service()
    champion = deps.versions.get(service.version) if service.version not in ("", name) else None
    for version in filter(None, (challenger, champion)):
        missing = unscored(version, holdout, deps)
        if missing and version == champion:
            status = deps.rekognition.version(version.name).status
            if status != ModelStatus.RUNNING:
                return _request_champion(version.name, status, deps)
        score_images(version, missing[:IMAGES_PER_CALL], deps)
        if len(missing) > IMAGES_PER_CALL:
            return ComparisonProgress("scoring")
    if champion and _read_unseen(champion, name, deps):
        return ComparisonProgress("scoring")
    return _judge(challenger, champion, holdout, settings, deps)


def _read_unseen(champion: Version, challenger: str, deps: Deps) -> bool:
    """Let the champion read the new training images, whose labels it was not trained on.

    Their suspects are found by that. It is not started for it. Returns whether there are more.
    """
    missing = unscored(champion, unseen_images(champion, challenger, deps), deps)
    if not missing or deps.rekognition.version(champion.name).status != ModelStatus.RUNNING:
        return False
    score_images(champion, missing[:IMAGES_PER_CALL], deps)
    return len(missing) > IMAGES_PER_CALL


def unseen_images(champion: Version, challenger: str, deps: Deps) -> list[ManifestEntry]:
    """Training images of the challenger, of labels that the champion knows, that are new to it."""
    try:
        seen = {image.content for image in manifest_entries(champion.name, Split.TRAIN, deps)}
    except NotFound:  # A version of an earlier release, or of another stack.
        return []
    new = manifest_entries(challenger, Split.TRAIN, deps)
    return sample([i for i in new if i.content not in seen and i.label in champion.labels])


def _request_champion(name: str, status: str, deps: Deps) -> ComparisonProgress:
    was_stopped = status != ModelStatus.STARTING
    if was_stopped:
        deps.versions.lend(name, deps.versions.lease_holder())
    return ComparisonProgress("champion_needed", champion=name, was_stopped=was_stopped)


def return_champion(deps: Deps) -> None:
    """Business rule: a champion that was started for a comparison stops with the training run,
    even if the run was cut off."""
    version, holder = deps.versions.lent()
    if version and not deps.executions.is_running(holder):
        reason = "it ran for a comparison only, which is over"
        set_state(StateChange(version, ModelStatus.STOPPED, reason), deps)


def holdout_of(version: str, deps: Deps) -> list[ManifestEntry]:
    """The images that versions are compared on when `version` is the challenger."""
    return sample(manifest_entries(version, Split.TEST, deps))


def unscored(version: Version, holdout: Sequence[ManifestEntry], deps: Deps) -> list[ManifestEntry]:
    """Images that the version has no prediction for."""
    predictions = deps.versions.predictions(version.name)
    return [image for image in holdout if image.content not in predictions]


def score_images(version: Version, images: Sequence[ManifestEntry], deps: Deps) -> None:
    """Let the version predict images, a few at a time, and keep its predictions."""

    def score_image(image: ManifestEntry) -> None:
        deps.versions.save_prediction(version.name, image.content, predict(version, image, deps))

    if images:
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(score_image, images))


def predict(version: Version, image: ManifestEntry, deps: Deps) -> Prediction:
    """The label with the highest confidence; none for an image that cannot be read (any more)."""
    bucket, _, key = image.uri.removeprefix("s3://").partition("/")
    try:
        labels = deps.rekognition.detect(version.arn, ImageRef(bucket, key, "", "", 0))
    except UnusableImage:
        labels = ()
    if not labels:
        return Prediction(None, 0.0)
    scores = {label.name: label.confidence for label in labels if label.confidence > 0}
    return Prediction(labels[0].name, labels[0].confidence, scores)


def _judge(
    challenger: Version,
    champion: Version | None,
    holdout: Sequence[ManifestEntry],
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
        Demands(settings.minimum_f1, settings.minimum_improvement, settings.maximum_label_drop),
    )
    champion_name = champion.name if champion else ""
    comparison = asdict(verdict) | {
        "challenger": _scored(challenger, holdout, new, settings),
        "champion_version": champion_name,
    }
    del comparison["reason"]
    if champion and old is not None:
        comparison["champion"] = _scored(champion, holdout, old, settings)
    deps.versions.save(challenger, comparison=comparison)
    return ComparisonProgress("decided", verdict.passed, verdict.reason, champion_name)


def _scored(
    version: Version, holdout: Sequence[ManifestEntry], predictions: Predictions, settings: Settings
) -> dict[str, Any]:
    return asdict(score(holdout, predictions, version.labels, settings.minimum_confidence))


def smoke_test(name: str, deps: Deps) -> str:
    """Let the version predict one image of its holdout; any prediction passes."""
    images = holdout_of(name, deps)
    if not images:
        raise ServiceRefused(f"{name} has no holdout image to be tried with")
    return predict(deps.versions.get(name), images[0], deps).label or "nothing"
