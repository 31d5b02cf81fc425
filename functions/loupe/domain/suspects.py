"""Labelled images whose label is probably wrong, by what models say that never saw the label.

Confident learning (Northcutt, Jiang, Chuang, "Confident learning: Estimating uncertainty in dataset
labels", 2021): a model takes an image for another label, and is at least as sure of it as it is on
average of images that people gave that label.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from loupe.domain.comparison import Predictions
from loupe.domain.keys import LABELLED_PREFIX
from loupe.domain.labelled_images import Group, hashed_key

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


@dataclass(frozen=True)
class Opinion:
    """What a version says of images, by content, and the contents that it was trained on."""

    version: str
    labels: Collection[str]
    predictions: Predictions
    trained_on: Collection[str] = ()

    def scored(self, pictures: Iterable[Group]) -> Iterator[Scored]:
        """The pictures that it says something of, without those that say nothing of their label:
        it was trained on them, or does not know their label.
        """
        for picture in pictures:
            image, contents = picture.entry, [member.content for member in picture.members]
            if image is None or image.label not in self.labels:
                continue
            if any(content in self.trained_on for content in contents):
                continue
            said = (self.predictions[each] for each in contents if each in self.predictions)
            if scores := next((each.confidences for each in said), {}):
                yield Scored(image.key, image.label, scores)


class SuspectState(StrEnum):
    """Whether people have looked at a suspect."""

    OPEN = "open"
    CONFIRMED = "confirmed"


@dataclass(frozen=True)
class ListedSuspect:
    """A labelled image that people are to look at again, because `version` takes it for `instead`.

    Once `by` has confirmed its label, it is not listed again; a corrected image has another key.
    """

    key: str
    label: str
    instead: str
    lead: float
    version: str
    at: str
    state: SuspectState = SuspectState.OPEN
    by: str = ""

    @property
    def id(self) -> str:
        """The id of its labelled image."""
        return hashed_key(self.key)

    @property
    def name(self) -> str:
        """Its name for people: `cat/1.png`."""
        return self.key.removeprefix(LABELLED_PREFIX)


def suspects_of(
    pictures: Sequence[Group], opinions: Iterable[Opinion], at: str
) -> list[ListedSuspect]:
    """The images to look at again, the most doubtful first; `opinions` are the newest first.

    Business rule: the newest version that was not trained on an image has the say. What is usual is
    taken from one version alone, because each has confidences of its own.
    """
    asked: set[str] = set()
    listed = []
    for opinion in opinions:
        scored = list(opinion.scored(pictures))
        listed += [
            ListedSuspect(each.id, each.label, each.instead, each.lead, opinion.version, at)
            for each in find_suspects(scored)
            if each.id not in asked
        ]
        asked |= {each.id for each in scored}
    return sorted(listed, key=lambda suspect: (-suspect.lead, suspect.key))
