"""Every operator's parameter: its default, allowed values and meaning, and the typed settings.

The table below is the one place where a setting is defined. `template.yaml` creates the
parameters; a test holds the two, and docs/parameters.md, together.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from loupe.errors import InvalidSetting, NotFound

END = r"(?![\s\S])"
"""The end of the value, to Python and to Java, which Parameter Store is: `$` would let a line break
through."""
TOGGLE = "^(true|false)" + END
MINUTES = "^([1-9][0-9]{0,2}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)" + END
POSITIVE = "^[1-9][0-9]{0,8}" + END
COUNT = "^(0|[1-9][0-9]{0,8})" + END
UNITS = "^([1-9][0-9]?|100)" + END
"""An inference unit costs $4 an hour: a slip of the finger must not cost more than $400 an hour.
A hundred units also keep the images read at a time within the 1000 of an SQS event source."""
SHARE = r"^(0(\.[0-9]{1,2})?|1(\.0{1,2})?)" + END
PERCENT = r"^(([0-9]|[1-9][0-9])(\.[0-9]{1,2})?|100(\.0{1,2})?)" + END
IMPROVEMENT = r"^-?(0(\.[0-9]{1,2})?|1(\.0{1,2})?)" + END
NOT_IN_LABEL = r",/\\\x00-\x1f\x85\u2028\u2029"
"""What separates labels, folders or lines."""
SPACES = r" \xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
"""White space to Python, character by character: to Java the class of white space is ASCII only."""
LABEL = rf"[^{SPACES}{NOT_IN_LABEL}]([^{NOT_IN_LABEL}]{{0,98}}[^{SPACES}{NOT_IN_LABEL}])?"
NO_LABELS = "none"
BLANKS = " \t\r\n"
"""What a value made without its pattern may have around it: a file ends with a line break. It is
what JSONata's $trim takes away."""


@dataclass(frozen=True)
class Setting:
    """One parameter `/<stack>/<name>`; `pattern` is what Parameter Store itself enforces."""

    name: str
    default: str
    pattern: str
    allowed: str
    meaning: str

    def check(self, value: str) -> str:
        """Return `value` if it is allowed, else raise InvalidSetting that says what is."""
        if re.fullmatch(self.pattern, value) is None:
            raise InvalidSetting(
                f"{self.name} cannot be {value!r}: it takes {self.allowed}, "
                f"for example {self.default!r}."
            )
        return value

    def effective(self, value: str) -> str:
        """What `value`, as it is stored, counts as: itself, without blanks around it, if it is
        allowed, else the default. The state machines' first states say the same in JSONata.
        """
        trimmed = value.strip(BLANKS)
        return trimmed if re.fullmatch(self.pattern, trimmed) else self.default


CATALOGUE: tuple[Setting, ...] = (
    Setting(
        "Enable-Automatic-Training",
        "true",
        TOGGLE,
        "true or false",
        "Whether a schedule checks for enough new labelled images and trains.",
    ),
    Setting(
        "Automatic-Training-Poll-Frequency",
        "720",
        MINUTES,
        "a whole number of minutes from 1 to 1440",
        "Minutes between two training checks.",
    ),
    Setting(
        "Minimum-Untrained-Images",
        "10",
        POSITIVE,
        "a whole number from 1",
        "Labelled images added, relabelled or removed since the last attempt before a training.",
    ),
    Setting(
        "Minimum-F1-Score",
        "0.8",
        SHARE,
        "a number from 0 to 1 with at most two decimals",
        "A version below this F1 is not deployed.",
    ),
    Setting(
        "Minimum-Inference-Units",
        "1",
        UNITS,
        "a whole number from 1 to 100",
        "Capacity of the model in service, from its next start.",
    ),
    Setting(
        "Minimum-Label-Detection-Confidence",
        "70",
        PERCENT,
        "a number from 0 to 100 with at most two decimals",
        "Below this confidence of the top label a detection is unsure.",
    ),
    Setting(
        "Enable-A2I-Workflow",
        "true",
        TOGGLE,
        "true or false",
        "Whether unsure detections go to human review (Amazon A2I or Loupe's own).",
    ),
    Setting(
        "Enable-Automatic-Human-Sampling",
        "true",
        TOGGLE,
        "true or false",
        "Whether a schedule sends a sample of detections to people to measure quality.",
    ),
    Setting(
        "Automatic-Human-Sampling-Frequency",
        "720",
        MINUTES,
        "a whole number of minutes from 1 to 1440",
        "Minutes between two samplings.",
    ),
    Setting(
        "Human-Sampling-Interval",
        "1000",
        POSITIVE,
        "a whole number from 1",
        "Every n-th detection is sampled.",
    ),
    Setting(
        "Labels",
        NO_LABELS,
        rf"^{LABEL}(,{LABEL})*{END}",
        "'none', or label names separated by commas (no '/' or '\\' in a name)",
        "The label set before any labelled image exists; afterwards added to the dataset's.",
    ),
    Setting(
        "Minimum-F1-Improvement",
        "0.0",
        IMPROVEMENT,
        "a number from -1 to 1 with at most two decimals",
        "By how much a new version must beat the one in service on the holdout.",
    ),
    Setting(
        "Enable-Automatic-Deployment",
        "true",
        TOGGLE,
        "true or false",
        "false: a better version waits for an operator's approval.",
    ),
    Setting(
        "Maximum-Inference-Units",
        "1",
        UNITS,
        "a whole number from 1 to 100",
        "Autoscaling bound of the model in service, from its next start.",
    ),
    Setting(
        "Stop-Model-When-Idle-Minutes",
        "0",
        COUNT,
        "a whole number of minutes from 0 (0: never)",
        "Stop the model after this long without a detection; a new image starts it again.",
    ),
    Setting(
        "Reviewers-Per-Image",
        "1",
        "^[1-3]" + END,
        "1, 2 or 3",
        "How many people answer a review; a majority makes a label.",
    ),
    Setting(
        "Maximum-Reviews-Per-Day",
        "0",
        COUNT,
        "a whole number from 0 (0: no cap)",
        "Past it further images wait for a reviewer, the least sure first in line.",
    ),
    Setting(
        "Show-Model-Guess",
        "false",
        TOGGLE,
        "true or false",
        "Whether reviewers see the model's answer (never for quality samples).",
    ),
    Setting(
        "Holdout-Percent",
        "20",
        "^([1-4][0-9]|50)" + END,
        "a whole number from 10 to 50",
        "Share of new labelled images that is only for testing.",
    ),
)

BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in CATALOGUE}


@dataclass(frozen=True)
class Settings:
    """All parameters, typed. Build it with `Settings.from_parameters`."""

    automatic_training: bool
    training_minutes: int
    minimum_untrained_images: int
    minimum_f1: float
    minimum_inference_units: int
    minimum_confidence: float
    review: bool
    sampling: bool
    sampling_minutes: int
    sampling_interval: int
    labels: tuple[str, ...]
    minimum_improvement: float
    automatic_deployment: bool
    maximum_inference_units: int
    idle_minutes: int
    reviewers: int
    reviews_per_day: int
    show_guess: bool
    holdout_percent: int

    @classmethod
    def from_parameters(cls, values: Mapping[str, str]) -> "Settings":
        """Settings from `{name: value}` (without the stack's prefix).

        A parameter that is missing counts with its default, so that an upgraded function can run
        beside an older stack. So does a value outside the allowed ones, which only a parameter that
        was made without its pattern can have, or one of an earlier release: see `Setting.effective`
        and `not_allowed`.
        """
        checked = {s.name: s.effective(values.get(s.name, s.default)) for s in CATALOGUE}

        def toggle(name: str) -> bool:
            return checked[name] == "true"

        def integer(name: str) -> int:
            return int(checked[name])

        def decimal(name: str) -> float:
            return float(checked[name])

        return cls(
            automatic_training=toggle("Enable-Automatic-Training"),
            training_minutes=integer("Automatic-Training-Poll-Frequency"),
            minimum_untrained_images=integer("Minimum-Untrained-Images"),
            minimum_f1=decimal("Minimum-F1-Score"),
            minimum_inference_units=integer("Minimum-Inference-Units"),
            minimum_confidence=decimal("Minimum-Label-Detection-Confidence"),
            review=toggle("Enable-A2I-Workflow"),
            sampling=toggle("Enable-Automatic-Human-Sampling"),
            sampling_minutes=integer("Automatic-Human-Sampling-Frequency"),
            sampling_interval=integer("Human-Sampling-Interval"),
            labels=label_list(checked["Labels"]),
            minimum_improvement=decimal("Minimum-F1-Improvement"),
            automatic_deployment=toggle("Enable-Automatic-Deployment"),
            maximum_inference_units=integer("Maximum-Inference-Units"),
            idle_minutes=integer("Stop-Model-When-Idle-Minutes"),
            reviewers=integer("Reviewers-Per-Image"),
            reviews_per_day=integer("Maximum-Reviews-Per-Day"),
            show_guess=toggle("Show-Model-Guess"),
            holdout_percent=integer("Holdout-Percent"),
        )


def not_allowed(values: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence about each of `{name: value}` that counts as another value than is stored."""
    counting = {s: s.effective(values[s.name]) for s in CATALOGUE if s.name in values}
    return tuple(
        f"{known.name} is {values[known.name]!r} and counts as {effective!r}, because it takes "
        f"{known.allowed}"
        for known, effective in counting.items()
        if effective != values[known.name]
    )


def label_list(value: str) -> tuple[str, ...]:
    """The labels of the parameter `Labels`, in order and once each; `none` means no labels."""
    if value == NO_LABELS:
        return ()
    return tuple(dict.fromkeys(part.strip() for part in value.split(",")))


def setting(name: str) -> Setting:
    """The setting called `name`; raises NotFound that lists the names."""
    if name not in BY_NAME:
        known = ", ".join(BY_NAME)
        raise NotFound(f"There is no setting {name!r}. The settings are: {known}.")
    return BY_NAME[name]
