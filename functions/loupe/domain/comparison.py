"""Challenger against champion: the same holdout images, the same measure, and how sure we are."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

MAXIMUM_HOLDOUT = 500
"""Images that a comparison scores at most; more cost time and hardly narrow the interval."""
FEW_IMAGES = 30
BOOTSTRAP_ROUNDS = 1000


@dataclass(frozen=True)
class HoldoutImage:
    """One image with its true label; `content` identifies it."""

    content: str
    uri: str
    label: str
    source: str


@dataclass(frozen=True)
class Prediction:
    """A version's surest label of an image (None: it named none) and its confidence, 0-100."""

    label: str | None
    confidence: float


Predictions = Mapping[str, Prediction]


@dataclass(frozen=True)
class Score:
    """How a version did on the holdout."""

    f1: float
    images: int
    accepted_share: float
    accepted_accuracy: float | None
    label_f1: Mapping[str, float]
    source_f1: Mapping[str, float]


@dataclass(frozen=True)
class Verdict:
    """Whether the challenger may take over, and why, for people.

    `f1` is Loupe's macro F1 of challenger and champion on the same `images`, over the labels that
    both know; None without a comparison.
    """

    passed: bool
    reason: str
    f1: tuple[float, float] | None = None
    images: int = 0
    difference: float | None = None
    interval: tuple[float, float] | None = None


class Labelled(Protocol):
    """An image with its true label; `content` identifies it."""

    @property
    def content(self) -> str: ...

    @property
    def label(self) -> str: ...


AnyLabelled = TypeVar("AnyLabelled", bound=Labelled)


def sample(holdout: Sequence[AnyLabelled], limit: int = MAXIMUM_HOLDOUT) -> list[AnyLabelled]:
    """All images, or the same `limit` of them for every version, each label with its share.

    Chosen by content hash: independent of order, time and version.
    """
    if len(holdout) <= limit:
        return list(holdout)
    ranked: list[tuple[float, AnyLabelled]] = []
    for label in {image.label for image in holdout}:
        images = sorted((i for i in holdout if i.label == label), key=lambda i: i.content)
        ranked += [(rank / len(images), image) for rank, image in enumerate(images)]
    ranked.sort(key=lambda pair: (pair[0], pair[1].content))
    return [image for _, image in ranked[:limit]]


def macro_f1(pairs: Sequence[tuple[str, str | None]], labels: Sequence[str]) -> float:
    """Mean F1 over the `labels` that occur, of (true, predicted) pairs."""
    scores = list(f1_by_label(pairs, labels).values())
    return sum(scores) / len(scores) if scores else 0.0


def f1_by_label(pairs: Sequence[tuple[str, str | None]], labels: Sequence[str]) -> dict[str, float]:
    """F1 of each label that occurs as truth or as prediction."""
    hits = Counter(true for true, said in pairs if true == said)
    involved = Counter(true for true, _ in pairs) + Counter(said for _, said in pairs if said)
    return {label: 2 * hits[label] / involved[label] for label in labels if involved[label]}


def score(
    holdout: Sequence[HoldoutImage],
    predictions: Predictions,
    labels: Sequence[str],
    minimum_confidence: float,
) -> Score:
    """Score a version on the images whose true label is in `labels`."""
    images = [image for image in holdout if image.label in labels]
    pairs = _pairs(images, predictions)
    accepted = [
        (image.label, predictions[image.content].label)
        for image in images
        if predictions[image.content].confidence >= minimum_confidence
    ]
    right = sum(1 for true, said in accepted if true == said)
    return Score(
        f1=macro_f1(pairs, labels),
        images=len(images),
        accepted_share=len(accepted) / len(images) if images else 0.0,
        accepted_accuracy=right / len(accepted) if accepted else None,
        label_f1=f1_by_label(pairs, labels),
        source_f1={
            source: macro_f1(_pairs([i for i in images if i.source == source], predictions), labels)
            for source in sorted({image.source for image in images})
        },
    )


def judge(
    holdout: Sequence[HoldoutImage],
    challenger: Predictions,
    champion: Predictions | None,
    challenger_labels: Sequence[str],
    champion_labels: Sequence[str],
    minimum_f1: float,
    minimum_improvement: float,
) -> Verdict:
    """Business rule: match the champion on the labels that both know, by macro F1 of the top
    label; a label that only the challenger knows must reach the gate itself. A tie passes: the
    challenger has seen more.
    """
    weak = _weak_new_labels(holdout, challenger, challenger_labels, champion_labels, minimum_f1)
    if champion is None:
        return Verdict(True, "there is no model in service to compare with")
    if weak:
        return Verdict(
            False, f"new labels below the minimum F1 of {minimum_f1:g}: {', '.join(weak)}"
        )
    both = [label for label in challenger_labels if label in champion_labels]
    images = [image for image in holdout if image.label in both]
    if not images:
        return Verdict(True, "no holdout image has a label that both versions know")
    new, old = _pairs(images, challenger), _pairs(images, champion)
    f1 = macro_f1(new, both), macro_f1(old, both)
    gain = f1[0] - f1[1]
    interval = bootstrap_interval(new, old, both)
    proven = "" if interval[0] > 0 or interval[1] < 0 else ", not proven"
    few = f", on only {len(images)} images" if len(images) < FEW_IMAGES else ""
    passed = gain >= minimum_improvement - 1e-9
    words = "matches or beats" if passed else "does not beat"
    reason = (
        f"it {words} the version in service: Loupe's F1 {f1[0]:.3f} against "
        f"{f1[1]:.3f} on the same {len(images)} holdout images, at least "
        f"{minimum_improvement:+g} asked for (90 % interval of the difference "
        f"{interval[0]:+.3f} to {interval[1]:+.3f}{proven}{few})"
    )
    return Verdict(passed, reason, f1, len(images), gain, interval)


@dataclass(frozen=True)
class SideBySide:
    """F1 of two versions on the same `images`, in all and by label, each (left, right)."""

    images: int
    f1: tuple[float, float]
    label_f1: Mapping[str, tuple[float | None, float | None]]


def side_by_side(
    holdout: Sequence[HoldoutImage],
    left: Predictions,
    right: Predictions,
    labels: Sequence[str],
) -> SideBySide:
    """Compare two versions on the images, with one of `labels`, that both were asked about."""
    images = [
        image
        for image in holdout
        if image.label in labels and image.content in left and image.content in right
    ]
    pairs = _pairs(images, left), _pairs(images, right)
    by_label = f1_by_label(pairs[0], labels), f1_by_label(pairs[1], labels)
    return SideBySide(
        images=len(images),
        f1=(macro_f1(pairs[0], labels), macro_f1(pairs[1], labels)),
        label_f1={label: (by_label[0].get(label), by_label[1].get(label)) for label in labels},
    )


def confusion(
    holdout: Sequence[HoldoutImage], predictions: Predictions, labels: Sequence[str]
) -> list[list[int]]:
    """How often an image of a label (row) was taken for each label, and last for none of them."""
    counts = [[0] * (len(labels) + 1) for _ in labels]
    column = {label: number for number, label in enumerate(labels)}
    for image in holdout:
        if image.label in column and image.content in predictions:
            said = predictions[image.content].label
            counts[column[image.label]][column.get(said or "", len(labels))] += 1
    return counts


def bootstrap_interval(
    new: Sequence[tuple[str, str | None]],
    old: Sequence[tuple[str, str | None]],
    labels: Sequence[str],
) -> tuple[float, float]:
    """90 % interval of the difference in macro F1, by paired bootstrap over the images."""
    generator = random.Random(0)
    indexes = range(len(new))
    differences = []
    for _ in range(BOOTSTRAP_ROUNDS):
        drawn = generator.choices(indexes, k=len(new))
        differences.append(
            macro_f1([new[i] for i in drawn], labels) - macro_f1([old[i] for i in drawn], labels)
        )
    differences.sort()
    return differences[BOOTSTRAP_ROUNDS // 20], differences[-BOOTSTRAP_ROUNDS // 20]


def _pairs(
    images: Sequence[HoldoutImage], predictions: Predictions
) -> list[tuple[str, str | None]]:
    return [(image.label, predictions[image.content].label) for image in images]


def _weak_new_labels(
    holdout: Sequence[HoldoutImage],
    challenger: Predictions,
    challenger_labels: Sequence[str],
    champion_labels: Sequence[str],
    minimum_f1: float,
) -> list[str]:
    scores = f1_by_label(_pairs(holdout, challenger), challenger_labels)
    new = [label for label in challenger_labels if label not in champion_labels]
    return [label for label in new if scores.get(label, 0.0) < minimum_f1]
