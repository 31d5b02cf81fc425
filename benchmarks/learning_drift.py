"""How soon a shift of what the model sees is noticed, and how often there is none.

A version reads images as in the product, and is looked at after every half window. In half of the
runs the shift comes after the first images in production, in the other half it is there from the
start, so that only the holdout can show it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.digits import LABELS, Floats, Ints, Model, blurred, digits, features, noisy, turned
from loupe.domain.accuracy import calibrate
from loupe.domain.drift import BASELINE, WINDOW
from loupe.domain.observation import Observation, Reading, is_due, observe

TRAINED = 300
HOLDOUT = 150
WINDOWS = 20
"""Windows without a shift in which there must be no alarm."""
SEEN_WITHIN = WINDOW
SHIFTS: Mapping[str, Callable[[Floats, np.random.Generator], Floats]] = {
    "blurred": lambda pictures, _: blurred(pictures, 1.0),
    "noisy": lambda pictures, generator: noisy(pictures, 0.35, generator),
    "turned": lambda pictures, _: turned(pictures),
    "slightly blurred": lambda pictures, _: blurred(pictures, 0.7),
    "slightly noisy": lambda pictures, generator: noisy(pictures, 0.2, generator),
}
"""The first three do much harm; the slight ones show how small a shift is still seen."""


def drift(seeds: Sequence[int]) -> dict[str, Any]:
    """Runs in which each shift was seen in time, the delay in images, and false alarms."""
    delays: dict[str, list[int | None]] = {}
    alarms, falls = 0, dict[str, list[float]]()
    for seed in seeds:
        run = _Run(seed)
        alarms += run.alarms()
        for name in SHIFTS:
            falls.setdefault(name, []).append(run.fall(name))
            for since in ("start", "later"):
                delays.setdefault(f"{name}, {since}", []).append(run.delay(name, since == "later"))
    return {
        "seeds": len(seeds),
        "shifts": {
            name: {
                "runs": len(found),
                "seen within 50 images": sum(d is not None and d <= SEEN_WITHIN for d in found),
                "mean delay": mean(d for d in found if d is not None) if any(found) else None,
                "accuracy falls by": mean(falls[name.partition(",")[0]]),
            }
            for name, found in delays.items()
        },
        "windows without a shift": WINDOWS * len(seeds),
        "false alarms": alarms,
    }


class _Run:
    """A version in production, with images that it has never seen."""

    def __init__(self, seed: int) -> None:
        self.generator = np.random.default_rng(seed)
        data, shuffled = digits(), self.generator.permutation(len(digits().labels))
        trained, holdout, self.rest = np.split(shuffled, [TRAINED, TRAINED + HOLDOUT])
        self.model = Model(data.features[trained], data.labels[trained])
        sure, right = self.said(data.features[holdout], data.labels[holdout])
        scored = list(zip(sure, right, strict=True))
        self.before = Observation("v1", "", holdout=tuple(sure), calibration=calibrate(scored))

    def said(self, vectors: Floats, labels: Ints) -> tuple[list[float], list[bool]]:
        """The confidence of each answer, 0-100, and whether it is right."""
        rows = self.model.probabilities(vectors)
        return (100 * rows.max(axis=1)).tolist(), (rows.argmax(axis=1) == labels).tolist()

    def shifted(self, name: str, images: Ints) -> tuple[list[float], list[bool]]:
        pictures = SHIFTS[name](digits().pictures[images], self.generator)
        return self.said(features(pictures), digits().labels[images])

    def fall(self, name: str) -> float:
        """By how much the share of right answers falls."""
        images = self.rest[:300]
        _, before = self.said(digits().features[images], digits().labels[images])
        _, after = self.shifted(name, images)
        return float(np.mean(before) - np.mean(after))

    def delay(self, name: str, later: bool) -> int | None:
        """Shifted images that were read when the shift was seen."""
        observation = self.before
        known, unknown = self.rest[:BASELINE], self.rest[BASELINE : BASELINE + 4 * WINDOW]
        if later:
            sure, _ = self.said(digits().features[known], digits().labels[known])
            observation, seen = _read(observation, sure)
            if seen is not None:
                return None
        sure, _ = self.shifted(name, unknown)
        return _read(observation, sure)[1]

    def alarms(self) -> int:
        """Windows that show a shift where there is none."""
        images = self.generator.choice(self.rest, BASELINE + WINDOWS * WINDOW)
        sure, _ = self.said(digits().features[images], digits().labels[images])
        observation, alarms = self.before, 0
        for confidence in sure:
            observation, seen = _read(observation, [confidence])
            alarms += seen is not None
        return alarms


def _read(observation: Observation, sure: Sequence[float]) -> tuple[Observation, int | None]:
    """The observation after so sure answers, and how many of them it took to see a shift.

    It ends where a shift is seen.
    """
    for number, confidence in enumerate(sure, 1):
        observation = observe(observation, [Reading("", "", LABELS[0], confidence)])
        if is_due(observation):
            seen = observation.drift()
            observation = replace(observation, unseen=0)
            if seen:
                return observation, number
    return observation, None
