"""Every operator's parameter: its default, allowed values and meaning, and the typed settings.

The fields of `Settings` are the one place where settings are defined. `template.yaml` creates the
parameters; a test holds the two, and docs/parameters.md, together.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from loupe.errors import InvalidSetting, NotFound

END = r"(?![\s\S])"
"""The end of the value, to Python and to Java, which Parameter Store runs on: `$` would allow a
line break after it."""
NOT_IN_LABEL = r",/\\\x00-\x1f\x85\u2028\u2029"
"""What separates labels, folders or lines."""
SPACES = r" \xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
"""White space to Python, character by character: to Java the class of white space is ASCII only."""
LABEL = rf"[^{SPACES}{NOT_IN_LABEL}]([^{NOT_IN_LABEL}]{{0,98}}[^{SPACES}{NOT_IN_LABEL}])?"
NO_LABELS = "none"
BLANKS = " \t\r\n"
"""Blanks that may surround a value that was stored without its pattern, such as the line break at
the end of a file. JSONata's $trim removes the same ones."""


def label_list(value: str) -> tuple[str, ...]:
    """The labels of the parameter `Labels`, in order and once each; `none` means no labels."""
    if value == NO_LABELS:
        return ()
    return tuple(dict.fromkeys(part.strip() for part in value.split(",")))


@dataclass(frozen=True)
class Kind:
    """What a setting takes: a pattern, the same in words, and how its text becomes a value."""

    pattern: str
    allowed: str
    parse: Callable[[str], Any] = int


TOGGLE = Kind("^(true|false)" + END, "true or false", lambda value: value == "true")
MINUTES = Kind(
    "^([1-9][0-9]{0,2}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)" + END,
    "a whole number of minutes from 1 to 1440",
)
POSITIVE = Kind("^[1-9][0-9]{0,8}" + END, "a whole number from 1")
COUNT = "^(0|[1-9][0-9]{0,8})" + END
IDLE_MINUTES = Kind(COUNT, "a whole number of minutes from 0 (0: never)")
INTERVAL = Kind(COUNT, "a whole number from 0 (0: never)")
CAP = Kind(COUNT, "a whole number from 0 (0: no cap)")
UNITS = Kind("^([1-9][0-9]?|100)" + END, "a whole number from 1 to 100")
"""An inference unit costs $4 an hour: a typing error must not cost more than $400 an hour. A
hundred units also keep the images read at a time within the 1000 of an SQS event source."""
REVIEWERS = Kind("^[1-3]" + END, "1, 2 or 3")
HOLDOUT = Kind("^([1-4][0-9]|50)" + END, "a whole number from 10 to 50")
SHARE = Kind(
    r"^(0(\.[0-9]{1,2})?|1(\.0{1,2})?)" + END,
    "a number from 0 to 1 with at most two decimals",
    float,
)
PERCENT = Kind(
    r"^(([0-9]|[1-9][0-9])(\.[0-9]{1,2})?|100(\.0{1,2})?)" + END,
    "a number from 0 to 100 with at most two decimals",
    float,
)
IMPROVEMENT = Kind(
    r"^-?(0(\.[0-9]{1,2})?|1(\.0{1,2})?)" + END,
    "a number from -1 to 1 with at most two decimals",
    float,
)
GROUPING = Kind("^(none|folder|prefix)" + END, "none, folder or prefix", str)
STRATEGY = Kind("^(arrival|margin|margin-diverse)" + END, "arrival, margin or margin-diverse", str)
LABELS = Kind(
    rf"^{LABEL}(,{LABEL})*{END}",
    "'none', or label names separated by commas (no '/' or '\\' in a name)",
    label_list,
)


@dataclass(frozen=True)
class Setting:
    """One parameter `/<stack>/<name>`; Parameter Store itself enforces the pattern of `kind`."""

    name: str
    default: str
    kind: Kind
    meaning: str

    @property
    def pattern(self) -> str:
        """The regular expression of its allowed values."""
        return self.kind.pattern

    @property
    def allowed(self) -> str:
        """Its allowed values, in words."""
        return self.kind.allowed

    def check(self, value: str) -> str:
        """Return `value` if it is allowed, else raise InvalidSetting that says what is."""
        if re.fullmatch(self.pattern, value) is None:
            raise InvalidSetting(
                f"{self.name} cannot be {value!r}: it takes {self.allowed}, "
                f"for example {self.default!r}."
            )
        return value

    def effective(self, value: str) -> str:
        """The value that a stored `value` counts as: itself without surrounding blanks if that is
        allowed, else the default. The first states of the state machines say the same in JSONata.
        """
        trimmed = value.strip(BLANKS)
        return trimmed if re.fullmatch(self.pattern, trimmed) else self.default


def _setting(name: str, default: str, kind: Kind, meaning: str) -> Any:
    """The field of `Settings` that holds the value of the setting `name`."""
    return field(metadata={"setting": Setting(name, default, kind, meaning)})


@dataclass(frozen=True)
class Settings:
    """All parameters, typed. Build it with `Settings.from_parameters`."""

    automatic_training: bool = _setting(
        "Enable-Automatic-Training",
        "true",
        TOGGLE,
        "Whether a schedule checks for enough new labelled images and trains.",
    )
    training_minutes: int = _setting(
        "Automatic-Training-Poll-Frequency", "720", MINUTES, "Minutes between two training checks."
    )
    minimum_untrained_images: int = _setting(
        "Minimum-Untrained-Images",
        "10",
        POSITIVE,
        "Labelled images added, relabelled or removed since the last attempt before a training.",
    )
    minimum_f1: float = _setting(
        "Minimum-F1-Score", "0.8", SHARE, "A version below this F1 is not deployed."
    )
    minimum_inference_units: int = _setting(
        "Minimum-Inference-Units",
        "1",
        UNITS,
        "Capacity of the model in service, from its next start.",
    )
    minimum_confidence: float = _setting(
        "Minimum-Label-Detection-Confidence",
        "70",
        PERCENT,
        "Below this confidence of the top label a detection is unsure.",
    )
    review: bool = _setting(
        "Enable-A2I-Workflow",
        "true",
        TOGGLE,
        "Whether unsure detections go to human review (Amazon A2I or Loupe's own).",
    )
    sampling: bool = _setting(
        "Enable-Automatic-Human-Sampling",
        "true",
        TOGGLE,
        "Whether a schedule sends a sample of detections to people to measure quality.",
    )
    sampling_minutes: int = _setting(
        "Automatic-Human-Sampling-Frequency", "720", MINUTES, "Minutes between two samplings."
    )
    sampling_interval: int = _setting(
        "Human-Sampling-Interval",
        "1000",
        POSITIVE,
        "At least every n-th detection is sampled, more of them where there are few.",
    )
    labels: tuple[str, ...] = _setting(
        "Labels",
        NO_LABELS,
        LABELS,
        "The label set before any labelled image exists; afterwards added to the dataset's.",
    )
    minimum_improvement: float = _setting(
        "Minimum-F1-Improvement",
        "0.0",
        IMPROVEMENT,
        "By how much a new version must beat the one in service on the holdout.",
    )
    maximum_label_drop: float = _setting(
        "Maximum-Label-F1-Drop",
        "0.1",
        SHARE,
        "By how much F1 of a single label may fall in a new version, unless it can be chance.",
    )
    automatic_deployment: bool = _setting(
        "Enable-Automatic-Deployment",
        "true",
        TOGGLE,
        "false: a better version waits for an operator's approval.",
    )
    maximum_inference_units: int = _setting(
        "Maximum-Inference-Units",
        "1",
        UNITS,
        "Autoscaling bound of the model in service, from its next start.",
    )
    idle_minutes: int = _setting(
        "Stop-Model-When-Idle-Minutes",
        "0",
        IDLE_MINUTES,
        "Stop the model after this long without a detection; a new image starts it again.",
    )
    reviewers: int = _setting(
        "Reviewers-Per-Image",
        "1",
        REVIEWERS,
        "How many people answer a review at most, while its label is not sure enough.",
    )
    reviews_per_day: int = _setting(
        "Maximum-Reviews-Per-Day",
        "0",
        CAP,
        "Past it further images wait for a reviewer, the most useful first in line.",
    )
    show_guess: bool = _setting(
        "Show-Model-Guess",
        "false",
        TOGGLE,
        "Whether reviewers see the model's answer (never for quality samples).",
    )
    review_strategy: str = _setting(
        "Review-Strategy",
        "margin-diverse",
        STRATEGY,
        "Which images people are asked about first: the oldest, the least sure, or the least sure "
        "of as many kinds as possible.",
    )
    minimum_certainty: float = _setting(
        "Minimum-Label-Certainty",
        "0.9",
        SHARE,
        "How sure a label must be, by what people and the model say, before nobody else is asked.",
    )
    gold_task_interval: int = _setting(
        "Gold-Task-Interval",
        "20",
        INTERVAL,
        "Every n-th task of a reviewer on Loupe's page is an image whose label is known.",
    )
    minimum_reliability: float = _setting(
        "Minimum-Reviewer-Reliability",
        "0.7",
        SHARE,
        "An event tells of a reviewer whose answers are right less often.",
    )
    holdout_percent: int = _setting(
        "Holdout-Percent", "20", HOLDOUT, "Share of new labelled images that is only for testing."
    )
    group_images_by: str = _setting(
        "Group-Images-By",
        "none",
        GROUPING,
        "What labelled images that belong together share; they are on one side of the holdout.",
    )

    @classmethod
    def from_parameters(cls, values: Mapping[str, str]) -> "Settings":
        """Settings from `{name: value}` (without the stack's prefix).

        A missing parameter counts with its default, so that an upgraded function can run beside an
        older stack. So does a value that is not allowed, which a parameter of an earlier release or
        one without its pattern can have: see `Setting.effective` and `not_allowed`.
        """
        typed = {}
        for each in fields(cls):
            setting: Setting = each.metadata["setting"]
            value = setting.effective(values.get(setting.name, setting.default))
            typed[each.name] = setting.kind.parse(value)
        return cls(**typed)


CATALOGUE: tuple[Setting, ...] = tuple(each.metadata["setting"] for each in fields(Settings))
BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in CATALOGUE}


def not_allowed(values: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence about each of `{name: value}` that counts as another value than is stored."""
    effective = {s: s.effective(values[s.name]) for s in CATALOGUE if s.name in values}
    return tuple(
        f"{setting.name} is {values[setting.name]!r} and counts as {value!r}, because it takes "
        f"{setting.allowed}"
        for setting, value in effective.items()
        if value != values[setting.name]
    )


def setting(name: str) -> Setting:
    """The setting called `name`; raises NotFound that lists the names."""
    if name not in BY_NAME:
        raise NotFound(f"There is no setting {name!r}. The settings are: {', '.join(BY_NAME)}.")
    return BY_NAME[name]
