"""Labelled images whose label is probably wrong, by what models say that never saw the label.

Confident learning (Northcutt, Jiang, Chuang, "Confident learning: Estimating uncertainty in dataset
labels", 2021): a model takes an image for another label, and is at least as sure of it as it is on
average of images that people gave that label.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DOUBT = 0.85
"""The share of the usual confidence that is enough: a lower one finds more and errs more."""
LEAST_LEAD = 10.0
"""By how much the other label must lead, 0-100: below it the model hesitates."""


@dataclass(frozen=True)
class Scored:
    """A labelled image, and the confidences (0-100) of a version that was not trained on it."""

    id: str
    label: str
    scores: Mapping[str, float]

    @property
    def own(self) -> float:
        """The confidence in the label that people gave."""
        return self.scores.get(self.label, 0.0)


@dataclass(frozen=True)
class Suspect:
    """An image that the model takes for `instead`; `lead` is by how much, 0-100."""

    id: str
    label: str
    instead: str
    lead: float


def find_suspects(images: Sequence[Scored]) -> list[Suspect]:
    """The images to look at again, the most doubtful first."""
    usual = _usual_confidence(images)
    suspects = [suspect for image in images if (suspect := _suspect(image, usual))]
    return sorted(suspects, key=lambda suspect: (-suspect.lead, suspect.id))


def _usual_confidence(images: Sequence[Scored]) -> Mapping[str, float]:
    """The average confidence in each label, of the images that people gave it."""
    confidences: dict[str, list[float]] = {}
    for image in images:
        confidences.setdefault(image.label, []).append(image.own)
    return {label: sum(values) / len(values) for label, values in confidences.items()}


def _suspect(image: Scored, usual: Mapping[str, float]) -> Suspect | None:
    likely = {
        label: score
        for label, score in image.scores.items()
        if score >= DOUBT * usual.get(label, 100.0) or label == image.label
    }
    if not likely:
        return None
    instead = max(likely, key=lambda label: (likely[label], label))
    lead = likely[instead] - image.own
    if instead == image.label or lead < LEAST_LEAD:
        return None
    return Suspect(image.id, image.label, instead, lead)
