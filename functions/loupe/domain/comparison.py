"""Challenger against champion: the same holdout images, the same measure, and its uncertainty."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from loupe.domain.manifest import ManifestEntry

MAXIMUM_HOLDOUT = 500
"""The most images that a comparison scores; more take time and hardly narrow the interval."""
FEW_IMAGES = 30
BOOTSTRAP_ROUNDS = 1000


@dataclass(frozen=True)
class Prediction:
    """A version's surest label of an image, or None, and its confidence, 0-100.

    `scores` are the confidences in all labels; predictions of earlier releases have none.
    """

    label: str | None
    confidence: float
    scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def confidences(self) -> Mapping[str, float]:
        """The confidences by label, as far as they are stored."""
        return self.scores or ({self.label: self.confidence} if self.label else {})


Predictions = Mapping[str, Prediction]
Pairs = Sequence[tuple[str, str | None]]
"""(true, predicted) labels of images."""


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
class LabelFall:
    """A label whose `f1` (challenger, champion) fell by more than is allowed.

    `interval` is that of the difference; a fall can be chance when it reaches up to 0.
    """

    label: str
    f1: tuple[float, float]
    interval: tuple[float, float]

    @property
    def can_be_chance(self) -> bool:
        return self.interval[1] >= 0

    def __str__(self) -> str:
        new, old = self.f1
        low, high = self.interval
        return f"{self.label} from {old:.3f} to {new:.3f} (interval {low:+.3f} to {high:+.3f})"


@dataclass(frozen=True)
class Verdict:
    """Whether the challenger may take over, and the reason for people.

    `f1` is Loupe's macro F1 of challenger and champion on the same `images`, over the labels of
    both versions; None without a comparison. `falls` are the labels that fell by more than is
    allowed.
    """

    passed: bool
    reason: str
    f1: tuple[float, float] | None = None
    images: int = 0
    difference: float | None = None
    interval: tuple[float, float] | None = None
    falls: tuple[LabelFall, ...] = ()


@dataclass(frozen=True)
class Demands:
    """What an operator asks of a challenger: F1 of a new label, a gain, a bound of each fall."""

    minimum_f1: float
    minimum_improvement: float
    maximum_label_drop: float


def sample(holdout: Sequence[ManifestEntry], limit: int = MAXIMUM_HOLDOUT) -> list[ManifestEntry]:
    """All images, or `limit` of them, each label with its share.

    Chosen by content hash, so the sample is the same for every order, time and version.
    """
    if len(holdout) <= limit:
        return list(holdout)
    ranked: list[tuple[float, ManifestEntry]] = []
    for label in {image.label for image in holdout}:
        images = sorted((i for i in holdout if i.label == label), key=lambda i: i.content)
        ranked += [(rank / len(images), image) for rank, image in enumerate(images)]
    ranked.sort(key=lambda pair: (pair[0], pair[1].content))
    return [image for _, image in ranked[:limit]]


def macro_f1(pairs: Pairs, labels: Sequence[str]) -> float:
    """Mean F1 over the `labels` that occur, of (true, predicted) pairs."""
    scores = f1_by_label(pairs, labels).values()
    return sum(scores) / len(scores) if scores else 0.0


def f1_by_label(pairs: Pairs, labels: Sequence[str]) -> dict[str, float]:
    """F1 of each label that occurs as truth or as prediction."""
    hits = Counter(true for true, predicted in pairs if true == predicted)
    involved = Counter(label for pair in pairs for label in pair if label)
    return {label: 2 * hits[label] / involved[label] for label in labels if involved[label]}


def score(
    holdout: Sequence[ManifestEntry],
    predictions: Predictions,
    labels: Sequence[str],
    minimum_confidence: float,
) -> Score:
    """Score a version on the images whose true label is in `labels`."""
    images = [image for image in holdout if image.label in labels]
    pairs = _pairs(images, predictions)
    confident = [i for i in images if predictions[i.content].confidence >= minimum_confidence]
    accepted = _pairs(confident, predictions)
    right = sum(true == predicted for true, predicted in accepted)
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
    holdout: Sequence[ManifestEntry],
    challenger: Predictions,
    champion: Predictions | None,
    challenger_labels: Sequence[str],
    champion_labels: Sequence[str],
    demands: Demands,
) -> Verdict:
    """Business rule: match the champion on the labels of both versions, by macro F1 of the top
    label, and let none of these labels fall by more than is allowed, unless that can be chance; a
    label of the challenger alone must reach the gate itself. A tie passes: the challenger is
    trained on more images.
    """
    if champion is None:
        return Verdict(True, "there is no model in service to compare with")
    scores = f1_by_label(_pairs(holdout, challenger), challenger_labels)
    added = [label for label in challenger_labels if label not in champion_labels]
    weak = [label for label in added if scores.get(label, 0.0) < demands.minimum_f1]
    if weak:
        reason = f"new labels below the minimum F1 of {demands.minimum_f1:g}: {', '.join(weak)}"
        return Verdict(False, reason)
    both = [label for label in challenger_labels if label in champion_labels]
    images = [image for image in holdout if image.label in both]
    if not images:
        return Verdict(True, "no holdout image has a label that both versions know")
    pairs = _pairs(images, challenger), _pairs(images, champion)
    return _paired_verdict(*pairs, both, demands)


def _paired_verdict(new: Pairs, old: Pairs, labels: Sequence[str], demands: Demands) -> Verdict:
    new_f1, old_f1 = macro_f1(new, labels), macro_f1(old, labels)
    gain = new_f1 - old_f1
    low, high = bootstrap_interval(new, old, labels)
    proven = "" if low > 0 or high < 0 else ", not proven"
    few = f", on only {len(new)} images" if len(new) < FEW_IMAGES else ""
    matches = gain >= demands.minimum_improvement - 1e-9
    falls = label_falls(new, old, labels, demands.maximum_label_drop)
    outcome = "matches or beats" if matches else "does not beat"
    reason = (
        f"it {outcome} the version in service: Loupe's F1 {new_f1:.3f} against {old_f1:.3f} on the "
        f"same {len(new)} holdout images, at least {demands.minimum_improvement:+g} asked for "
        f"(90 % interval of the difference {low:+.3f} to {high:+.3f}{proven}{few})"
    )
    reason += _falls_in_words(falls, demands.maximum_label_drop)
    passed = matches and all(fall.can_be_chance for fall in falls)
    return Verdict(passed, reason, (new_f1, old_f1), len(new), gain, (low, high), falls)


def _falls_in_words(falls: Sequence[LabelFall], allowed: float) -> str:
    """What the reason says of the labels that fell by more than `allowed`."""
    text = ""
    if proven := [str(fall) for fall in falls if not fall.can_be_chance]:
        text += f"; but F1 of a label falls by more than the {allowed:g} allowed: "
        text += ", ".join(proven)
    if chance := [str(fall) for fall in falls if fall.can_be_chance]:
        text += f"; a fall of more than {allowed:g} that can be chance: {', '.join(chance)}"
    return text


def label_falls(
    new: Pairs, old: Pairs, labels: Sequence[str], allowed: float
) -> tuple[LabelFall, ...]:
    """The labels whose F1 is lower by more than `allowed` in `new`, the largest fall first.

    Their 90 % intervals hold for all labels together (Bonferroni): with many labels, one falls far
    by chance alone in every other comparison, and a better version would be held back for it.
    """
    f1 = f1_by_label(new, labels), f1_by_label(old, labels)
    scores = {label: (f1[0].get(label, 0.0), f1[1].get(label, 0.0)) for label in labels}
    fallen = sorted(
        (label for label, (now, then) in scores.items() if then - now > allowed + 1e-9),
        key=lambda label: scores[label][0] - scores[label][1],
    )
    if not fallen:
        return ()
    drawn = [
        (f1_by_label(new_drawn, fallen), f1_by_label(old_drawn, fallen))
        for new_drawn, old_drawn in _drawn(new, old)
    ]

    def fall(label: str) -> LabelFall:
        differences = (now.get(label, 0.0) - then.get(label, 0.0) for now, then in drawn)
        return LabelFall(label, scores[label], _middle(differences, len(labels)))

    return tuple(fall(label) for label in fallen)


@dataclass(frozen=True)
class SideBySide:
    """F1 of two versions on the same `images`, in all and by label, each (left, right)."""

    images: int
    f1: tuple[float, float]
    label_f1: Mapping[str, tuple[float | None, float | None]]


def side_by_side(
    holdout: Sequence[ManifestEntry], left: Predictions, right: Predictions, labels: Sequence[str]
) -> SideBySide:
    """Compare two versions on the images, with one of `labels`, that both have scored."""
    images = [
        image
        for image in holdout
        if image.label in labels and image.content in left and image.content in right
    ]
    left_pairs, right_pairs = _pairs(images, left), _pairs(images, right)
    left_f1, right_f1 = f1_by_label(left_pairs, labels), f1_by_label(right_pairs, labels)
    return SideBySide(
        images=len(images),
        f1=(macro_f1(left_pairs, labels), macro_f1(right_pairs, labels)),
        label_f1={label: (left_f1.get(label), right_f1.get(label)) for label in labels},
    )


def confusion(
    holdout: Sequence[ManifestEntry], predictions: Predictions, labels: Sequence[str]
) -> list[list[int]]:
    """How often images of a label (row) got each label (column), or none of them (last column)."""
    counts = [[0] * (len(labels) + 1) for _ in labels]
    column = {label: number for number, label in enumerate(labels)}
    for image in holdout:
        if image.label in column and image.content in predictions:
            predicted = predictions[image.content].label or ""
            counts[column[image.label]][column.get(predicted, len(labels))] += 1
    return counts


def bootstrap_interval(new: Pairs, old: Pairs, labels: Sequence[str]) -> tuple[float, float]:
    """90 % interval of the difference in macro F1, by paired bootstrap over the images."""
    return _middle(macro_f1(now, labels) - macro_f1(then, labels) for now, then in _drawn(new, old))


def _drawn(new: Pairs, old: Pairs) -> Iterator[tuple[Pairs, Pairs]]:
    """The same images of both, drawn with replacement `BOOTSTRAP_ROUNDS` times."""
    generator = random.Random(0)
    images = list(zip(new, old, strict=True))
    for _ in range(BOOTSTRAP_ROUNDS):
        new_drawn, old_drawn = zip(*generator.choices(images, k=len(images)), strict=True)
        yield new_drawn, old_drawn


def _middle(differences: Iterable[float], questions: int = 1) -> tuple[float, float]:
    """The range without the 5 % at each end, shared among `questions` that are asked at once."""
    ordered = sorted(differences)
    cut = len(ordered) // (20 * questions)
    return ordered[cut], ordered[-1 - cut]


def _pairs(
    images: Sequence[ManifestEntry], predictions: Predictions
) -> list[tuple[str, str | None]]:
    return [(image.label, predictions[image.content].label) for image in images]
