"""The record of an image: the states of a detection and its labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from loupe.domain.events import Event, image_event
from loupe.domain.keys import NONE_OF_THE_ABOVE, ImageRef, sort_key, timestamp
from loupe.errors import InvalidRequest


class DetectionState(StrEnum):
    """How far the reading of an image is."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REVIEW = "review"
    ANSWERED = "answered"
    UNSURE = "unsure"
    REJECTED = "rejected"
    FAILED = "failed"


class LabelledBy(StrEnum):
    """Who gave a label."""

    MODEL = "model"
    PERSON = "person"


READ_BY_MODEL = (DetectionState.ACCEPTED, DetectionState.REVIEW, DetectionState.UNSURE)
NOT_READ = (DetectionState.FAILED, DetectionState.REJECTED)
"""Reading has ended without an answer; `Detection.read_again` starts it again."""
MOST_FAILURES = 5
"""Unexpected errors in reading an image after which it has failed."""


@dataclass(frozen=True)
class Label:
    """One answer. `confidence` is 0-100; `box` has left, top, width, height as ratios."""

    name: str
    confidence: float
    by: LabelledBy = LabelledBy.MODEL
    box: Mapping[str, float] | None = None

    def as_json(self) -> dict[str, Any]:
        """As `loupe detections --json` shows it."""
        shown = {"name": self.name, "confidence": self.confidence, "by": self.by}
        return shown | ({"box": dict(self.box)} if self.box else {})


@dataclass(frozen=True)
class ModelOutput:
    """The model's answer about an image, or why there is none.

    `outcome` is "labels" (the model answered, perhaps with nothing), "no_model" (none was ever in
    service), "wait" (it cannot answer now) or "rejected" (no usable image). `thumbnail` is that of
    `fingerprint.thumbnail`, in base64.
    """

    outcome: str
    labels: tuple[Label, ...] = ()
    version: str = ""
    reason: str = ""
    thumbnail: str = ""

    @property
    def top(self) -> float:
        """The highest confidence; without labels it is below every minimum, even 0."""
        return max((label.confidence for label in self.labels), default=-1.0)


@dataclass(frozen=True)
class Detection:
    """The record of one uploaded image.

    `at` is its time of arrival. The first of `labels` is the answer: a person's, which may be that
    no label fits, stands before all labels of the model. `repeats` counts further readings,
    `failures` the unexpected errors and timeouts of this reading, `reports` the reports that its
    answer is wrong.
    """

    image: ImageRef
    state: DetectionState
    at: str
    labels: tuple[Label, ...] = ()
    version: str = ""
    reason: str = ""
    review: str = ""
    detected_at: str = ""
    repeats: int = 0
    failures: int = 0
    reports: int = 0

    @property
    def none_of_the_above(self) -> bool:
        """Whether people answered that no label fits."""
        return self.labels[:1] == (person_label(NONE_OF_THE_ABOVE),)

    @property
    def attempt(self) -> str:
        """The id of this reading of the image; a further reading has another one."""
        return f"{self.image.id}/{self.repeats}" if self.repeats else self.image.id

    @property
    def sort_key(self) -> str:
        """Its sort key in listings by time."""
        return sort_key(self.at, self.image.id)

    def with_output(
        self, state: DetectionState, output: ModelOutput, reason: str, now: datetime
    ) -> "Detection":
        """The record after the model, or the lack of one, has given `output`."""
        return replace(
            self,
            state=state,
            labels=output.labels,
            version=output.version,
            reason=reason,
            detected_at=timestamp(now) if output.version else "",
        )

    def settled(self, output: ModelOutput) -> "Detection":
        """The record of an image in review once a newer version is sure of it.

        It keeps the time of its first reading: quality samples and the look at production go by
        images as they arrive.
        """
        return replace(
            self,
            state=DetectionState.ACCEPTED,
            labels=output.labels,
            version=output.version,
            reason=f"it waited for a person until {output.version} was sure of it",
        )

    def answered(self, label: str, reason: str) -> "Detection":
        """The record once people have answered `label`, which may be NONE_OF_THE_ABOVE."""
        by_model = (each for each in self.labels if each.by == LabelledBy.MODEL)
        labels = (person_label(label), *by_model)
        return replace(self, state=DetectionState.ANSWERED, labels=labels, reason=reason)

    def read_again(self) -> "Detection":
        """The record that waits to be read again; raises InvalidRequest unless reading failed."""
        if self.state not in NOT_READ:
            raise InvalidRequest(
                f"{self.image.name!r} is {self.state}: only {' and '.join(NOT_READ)} images "
                "are read again."
            )
        return Detection(self.image, DetectionState.WAITING, self.at, repeats=self.repeats + 1)

    def as_json(self) -> dict[str, Any]:
        """As `loupe detections --json` shows it."""
        return {
            "image": self.image.name,
            "state": self.state,
            "labels": [label.as_json() for label in self.labels],
            "version": self.version,
            "at": self.at,
            "reason": self.reason,
            "review": self.review,
            "id": self.image.id,
        }


def detection_event(detection: Detection, at: datetime, cause: str = "") -> Event:
    """The event of a record that has just entered its state, which gives the event its name.

    There is one for each `cause`; by default an image has one for each time that it waits.
    """
    waits = detection.state == DetectionState.WAITING
    cause = cause or (timestamp(at) if waits else detection.state)
    return image_event(
        f"Image{detection.state.capitalize()}",
        f"{detection.attempt}/{cause}",
        at,
        detection.image,
        key=detection.image.key,
        label=detection.labels[0].name if detection.labels else "nothing",
        labels=[label.as_json() for label in detection.labels[:5]],
        version=detection.version,
        reason=detection.reason,
    )


def model_labels(custom_labels: Sequence[Mapping[str, Any]]) -> tuple[Label, ...]:
    """Labels of a DetectCustomLabels response, the surest first.

    An object that occurs several times gives one label for each of its boxes.
    """
    labels = [
        Label(label["Name"], round(float(label["Confidence"]), 2), box=_box(label.get("Geometry")))
        for label in custom_labels
    ]
    return tuple(sorted(labels, key=lambda label: -label.confidence))


def _box(geometry: Mapping[str, Any] | None) -> Mapping[str, float] | None:
    if not geometry:
        return None
    box = geometry["BoundingBox"]
    return {side.lower(): float(box[side]) for side in ("Left", "Top", "Width", "Height")}


def person_label(name: str) -> Label:
    """A label that people gave."""
    return Label(name=name, confidence=100.0, by=LabelledBy.PERSON)


def why_unsure(answer: ModelOutput, minimum_confidence: float) -> str:
    """Why an answer below the minimum confidence is unsure, for people."""
    if not answer.labels:
        return "the model found none of its labels"
    top = answer.labels[0]
    return (
        f"the surest label is {top.name} with {top.confidence:g} %, "
        f"below the minimum of {minimum_confidence:g} %"
    )
