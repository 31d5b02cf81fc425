"""What the service refuses to train on."""

import random
from collections import defaultdict
from dataclasses import dataclass

from loupe_local.rekognition.manifest import Entry, Invalid, parse

LEAST_LABELS = 2
MOST_LABELS = 250
MOST_INVALID = 0.2
LEAST_OVERLAP = 0.5
SPLIT = 0.2


class UntrainableError(Exception):
    """The training fails; the message becomes the version's StatusMessage."""


@dataclass(frozen=True)
class Material:
    """The usable images of one side."""

    entries: tuple[Entry, ...]
    invalid: tuple[Invalid, ...]

    @property
    def labels(self) -> set[str]:
        """The labels that its images stand for."""
        return {entry.labels[0] for entry in self.entries}


def read(text: str, name: str) -> Material:
    """The images of a manifest; too many invalid lines fail the training."""
    lines = list(parse(text))
    if not lines:
        raise UntrainableError(f"The {name} manifest file is empty.")
    invalid = tuple(line for line in lines if isinstance(line, Invalid))
    entries = {line.source: line for line in lines if isinstance(line, Entry)}
    labelled = tuple(entry for entry in entries.values() if entry.labels)
    refuse_invalid(len(invalid), len(lines), name, invalid[0].reason if invalid else "")
    return Material(labelled, invalid)


def refuse_invalid(invalid: int, lines: int, name: str, example: str) -> None:
    """Fails when more than a fifth of the lines cannot be used."""
    if invalid > lines * MOST_INVALID:
        raise UntrainableError(
            f"The {name} manifest file contains too many invalid rows: {invalid} of {lines}, for "
            f"example: {example}."
        )


def split(material: Material) -> tuple[Material, Material]:
    """A fifth of each label's images for testing, the rest for training; always the same."""
    by_label = defaultdict(list)
    for entry in material.entries:
        by_label[entry.labels[0]].append(entry)
    test: set[str] = set()
    for entries in by_label.values():
        random.Random(0).shuffle(entries)
        test.update(entry.source for entry in entries[: round(len(entries) * SPLIT)])
    return (
        Material(tuple(e for e in material.entries if e.source not in test), material.invalid),
        Material(tuple(e for e in material.entries if e.source in test), ()),
    )


def check(train: Material, test: Material) -> None:
    """Raises UntrainableError where the service would fail the training."""
    if not LEAST_LABELS <= len(train.labels) <= MOST_LABELS:
        raise UntrainableError(
            f"The training dataset has {len(train.labels)} labels; it needs {LEAST_LABELS} to "
            f"{MOST_LABELS}."
        )
    overlap = len(train.labels & test.labels)
    if overlap < len(train.labels) * LEAST_OVERLAP:
        raise UntrainableError(
            "Less than 50% of the label names of the training dataset are in the test dataset: "
            f"{overlap} of {len(train.labels)}."
        )
    shared = {e.source for e in train.entries} & {e.source for e in test.entries}
    if shared:
        raise UntrainableError(
            f"{len(shared)} images are in both datasets, for example {min(shared)}."
        )
    buckets = {entry.location.bucket for entry in (*train.entries, *test.entries)}
    if len(buckets) > 1:
        names = ", ".join(sorted(buckets))
        raise UntrainableError(f"The images are in more than one bucket: {names}.")
