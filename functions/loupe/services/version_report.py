"""How a version did: by label, on the holdout, and against the version then in service."""

from collections import Counter
from typing import TypedDict

from loupe.adapters.rekognition import measures
from loupe.domain.comparison import SideBySide, confusion, side_by_side
from loupe.domain.labelled_images import SPLITS, Split
from loupe.domain.manifest import parse
from loupe.domain.versions import LabelMetrics, Version
from loupe.errors import NotFound
from loupe.services.comparison import holdout_of
from loupe.services.training_data import manifest_key
from loupe.wiring import Deps

LOUPES_F1 = "Loupe's F1"
"""As opposed to Rekognition's own, which each version has on the test images of its time."""


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
    """Loupe's F1 of an older and a newer version on the test images that both were asked about."""
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
    """What it said of the holdout, if it was ever asked."""
    predictions = deps.versions.predictions(version.name)
    if not predictions:
        return None
    counts = confusion(holdout_of(version.name, deps), predictions, version.labels)
    return {"labels": list(version.labels), "counts": counts}


def snapshot_counts(name: str, deps: Deps) -> list[LabelImages]:
    counts: dict[str, Counter[str]] = {}
    for split in SPLITS:
        try:
            manifest = deps.objects.read(manifest_key(name, split)).decode()
        except NotFound:
            return []
        counts[split] = Counter(entry.label for entry in parse(manifest))
    labels = sorted(counts[Split.TRAIN] | counts[Split.TEST])
    return [
        {
            "label": label,
            "train": counts[Split.TRAIN][label],
            "test": counts[Split.TEST][label],
            "underrepresented": "",
        }
        for label in labels
    ]


def comparison_lines(version: Version) -> list[Line]:
    """The comparison in words, or nothing when the version never got that far."""
    found = version.comparison
    if not found:
        return []
    new, scores = found["challenger"], compared(version)
    lines = {
        f"{LOUPES_F1} of {scores[-1]['name']} on {images_compared(version)} test images": (
            f"{scores[-1]['f1']:.3f}"
        )
    }
    if len(scores) > 1:
        lines[f"{LOUPES_F1} of {scores[0]['name']} on the same images"] = f"{scores[0]['f1']:.3f}"
        lines["Difference"] = f"{found['difference']:+.3f}"
    lines["Answered without a person"] = _percent(new["accepted_share"])
    lines["Right, of what is answered without a person"] = _percent(new["accepted_accuracy"])
    if interval := found["interval"]:
        low, high = interval
        proven = "" if low > 0 or high < 0 else ", so it may be chance"
        lines["With 90 % certainty the difference lies in"] = f"{low:+.3f} to {high:+.3f}{proven}"
    return [{"name": name, "value": value} for name, value in lines.items()]


def compared(version: Version) -> list[Score]:
    """Loupe's F1 of the version then in service, if there was one, and of `version`, last.

    Both are measured on the same images, over the labels that both know.
    """
    found = version.comparison
    if not found:
        return []
    if not found.get("f1"):
        return [{"name": version.name, "f1": found["challenger"]["f1"]}]
    new, old = found["f1"]
    return [
        {"name": found["champion_version"], "f1": old},
        {"name": version.name, "f1": new},
    ]


def images_compared(version: Version) -> int:
    """On how many test images `compared` is measured."""
    found = version.comparison
    return int(found.get("images") or found["challenger"]["images"]) if found else 0


def _percent(share: float | None) -> str:
    return "nothing was" if share is None else f"{100 * share:.0f} %"
