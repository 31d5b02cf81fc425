"""What a version says in production: how sure it is, and whether that has changed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from loupe.domain.accuracy import Calibration, calibrate, estimate
from loupe.domain.comparison import Predictions
from loupe.domain.detection import Detection, LabelledBy
from loupe.domain.drift import BASELINE, WINDOW, Drift, find_drift
from loupe.domain.manifest import ManifestEntry

RECENT = 200
"""The newest readings, over which accuracy is estimated."""
STEP = WINDOW // 2
"""New readings after which the window is looked at again."""
EXAMPLES = 5


@dataclass(frozen=True)
class Reading:
    """One answer of the version: the image's name, when it was read, the surest label."""

    image: str
    at: str
    label: str
    confidence: float


@dataclass(frozen=True)
class Observation:
    """A version in production since `since`: `read` images.

    `baseline` are its confidences in the first of them, `recent` its newest readings, oldest first,
    of which the last `unseen` are not looked at yet. `holdout` are its confidences in the holdout,
    which `calibration` is made from. `drifts`: the last look found a shift.
    """

    version: str
    since: str
    read: int = 0
    unseen: int = 0
    baseline: tuple[float, ...] = ()
    recent: tuple[Reading, ...] = ()
    holdout: tuple[float, ...] = ()
    calibration: Calibration = field(default_factory=Calibration)
    drifts: bool = False

    @property
    def window(self) -> tuple[Reading, ...]:
        """The readings that are looked at together."""
        return self.recent[-WINDOW:]

    @property
    def estimate(self) -> float | None:
        """The expected share of right answers, 0-1, without labels."""
        return estimate(self.calibration, [reading.confidence for reading in self.recent])

    def drift(self) -> Drift | None:
        """The shift that the window shows."""
        window = [reading.confidence for reading in self.window]
        return find_drift(window, self.baseline, self.holdout)

    def least_sure(self) -> list[str]:
        """The images of the window that the version was least sure of."""
        by_confidence = sorted(self.window, key=lambda reading: reading.confidence)
        return [reading.image for reading in by_confidence[:EXAMPLES]]

    def labels(self) -> list[str]:
        """The labels of the window with their shares, the most frequent first."""
        counts = Counter(reading.label for reading in self.window).most_common(EXAMPLES)
        return [f"{label} {100 * count / len(self.window):.0f} %" for label, count in counts]


def begin(
    version: str, since: str, holdout: Sequence[ManifestEntry], predictions: Predictions
) -> Observation:
    """The observation of a version that is just put into service."""
    scored = [
        (predictions[entry.content].confidence, predictions[entry.content].label == entry.label)
        for entry in holdout
        if entry.content in predictions
    ]
    confidences = tuple(confidence for confidence, _ in scored)
    return Observation(version, since, holdout=confidences, calibration=calibrate(scored))


def reading_of(detection: Detection) -> Reading:
    """What the version said, whatever people said after it."""
    said = [label for label in detection.labels if label.by == LabelledBy.MODEL]
    label, confidence = (said[0].name, said[0].confidence) if said else ("nothing", 0.0)
    return Reading(detection.image.name, detection.detected_at, label, confidence)


def observe(before: Observation, readings: Sequence[Reading]) -> Observation:
    """The observation with more readings, oldest first."""
    room = max(0, BASELINE - len(before.baseline))
    return replace(
        before,
        read=before.read + len(readings),
        unseen=before.unseen + len(readings),
        baseline=(*before.baseline, *(reading.confidence for reading in readings[:room])),
        recent=(*before.recent, *readings)[-RECENT:],
    )


def is_due(observation: Observation) -> bool:
    """Whether enough is new for another look at the window."""
    return observation.unseen >= STEP and len(observation.recent) >= WINDOW
