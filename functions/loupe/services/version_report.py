"""Scores of a version: by label, on the holdout, and against the version then in service."""

from collections import Counter
from typing import TypedDict

from loupe.adapters.rekognition import measures
from loupe.domain.accuracy import Rate, rate
from loupe.domain.comparison import SideBySide, confusion, side_by_side
from loupe.domain.labelled_images import SPLITS, Split
from loupe.domain.versions import LabelMetrics, Version
from loupe.errors import NotFound
from loupe.services.comparison import holdout_of
from loupe.services.training_data import manifest_entries
from loupe.wiring import Deps

LOUPES_F1 = "Loupe's F1"
"""In contrast to Rekognition's own F1, which it measures on the test images of the time."""


class LabelImages(TypedDict):
    """Images of a label; `underrepresented` is why they are too few, or ""."""

    label: str
    train: int
    test: int
    underrepresented: str


class Confusion(TypedDict):
    """What a version said (columns) of the holdout images of a label (rows).

    The last column counts those of which it said none of the labels.
    """

    labels: list[str]
    counts: list[list[int]]


class Score(TypedDict):
    """A version and Loupe's F1 of it."""

    name: str
    f1: float


class Line(TypedDict):
    """A measure, named for people, and its value."""

    name: str
    value: str


def against(name: str, older: str, deps: Deps) -> SideBySide:
    """Loupe's F1 of an older and a newer version on the test images that both have scored."""
    left, right = deps.versions.get(older), deps.versions.get(name)
    return side_by_side(
        holdout_of(name, deps) if right.comparison else [],
        deps.versions.predictions(older),
        deps.versions.predictions(name),
        [label for label in right.labels if label in left.labels],
    )


def per_label(name: str, deps: Deps) -> list[LabelMetrics]:
    """The service's own evaluation, label by label."""
    key = deps.rekognition.version(name).evaluation
    return measures(deps.objects.read(key)) if key else []


def confusion_matrix(version: Version, deps: Deps) -> Confusion | None:
    """Its predictions on the holdout by true label, or None when it has none."""
    predictions = deps.versions.predictions(version.name)
    if not predictions:
        return None
    counts = confusion(holdout_of(version.name, deps), predictions, version.labels)
    return {"labels": list(version.labels), "counts": counts}


def snapshot_counts(name: str, deps: Deps) -> list[LabelImages]:
    """How many images of each label the version was trained and tested on."""
    counts: dict[str, Counter[str]] = {}
    for split in SPLITS:
        try:
            counts[split] = Counter(e.label for e in manifest_entries(name, split, deps))
        except NotFound:
            return []
    train, test = counts[Split.TRAIN], counts[Split.TEST]
    return [
        LabelImages(label=label, train=train[label], test=test[label], underrepresented="")
        for label in sorted(train | test)
    ]


def comparison_lines(version: Version) -> list[Line]:
    """The comparison in words, or nothing when the version was never compared."""
    comparison = version.comparison
    if not comparison:
        return []
    challenger, (*before, new) = comparison["challenger"], compared(version)
    images = images_compared(version)
    lines = {f"{LOUPES_F1} of {new['name']} on {images} test images": f"{new['f1']:.3f}"}
    for old in before:
        lines[f"{LOUPES_F1} of {old['name']} on the same images"] = f"{old['f1']:.3f}"
        lines["Difference"] = f"{comparison['difference']:+.3f}"
    lines["Answered without a person"] = _percent(challenger["accepted_share"])
    lines["Right, of what is answered without a person"] = _percent(challenger["accepted_accuracy"])
    if interval := comparison["interval"]:
        low, high = interval
        proven = "" if low > 0 or high < 0 else ", so it may be chance"
        lines["With 90 % certainty the difference lies in"] = f"{low:+.3f} to {high:+.3f}{proven}"
    return [{"name": name, "value": value} for name, value in lines.items()]


def accuracy_lines(version: Version, deps: Deps) -> list[Line]:
    """How good it is in production, by three ways that are never mixed; only what is known."""
    samples, reports = (
        rate(version.samples_agreed, version.samples),
        rate(version.reports_confirmed, version.reports),
    )
    observation = deps.observations.of(version.name)
    lines = {}
    if samples:
        lines["Right, by quality samples"] = _with_interval(samples, version.samples)
    if observation and observation.read and version.reports:
        lines["Reported, of what it has read"] = f"{version.reports} of {observation.read} images"
    if reports:
        lines["Wrong, of what was reported"] = _with_interval(reports, version.reports)
    if observation and (estimated := observation.estimate) is not None:
        of = f"its last {len(observation.recent)} images"
        lines["Right, as its confidences promise"] = f"{_percent(estimated)} of {of}"
    return [{"name": name, "value": value} for name, value in lines.items()]


def _with_interval(measured: Rate, of: int) -> str:
    low, high = _percent(measured.low), _percent(measured.high)
    return f"{_percent(measured.share)} of {of} (with 95 % certainty {low} to {high})"


def compared(version: Version) -> list[Score]:
    """Loupe's F1 of the version then in service, if there was one, and of `version`, last.

    Both are measured on the same images, over the labels that both know.
    """
    comparison = version.comparison
    if not comparison:
        return []
    if not comparison.get("f1"):
        return [{"name": version.name, "f1": comparison["challenger"]["f1"]}]
    new, old = comparison["f1"]
    names_and_scores = ((comparison["champion_version"], old), (version.name, new))
    return [{"name": name, "f1": f1} for name, f1 in names_and_scores]


def images_compared(version: Version) -> int:
    """The number of test images that `compared` is measured on."""
    comparison = version.comparison
    return int(comparison.get("images") or comparison["challenger"]["images"]) if comparison else 0


def _percent(share: float | None) -> str:
    return "nothing was" if share is None else f"{100 * share:.0f} %"
