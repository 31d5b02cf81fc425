"""Ground Truth manifests: one JSON line an image, with its labels."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from loupe_local.objects import Location

MAX_BYTES = 1024**3
MAX_LINES = 250_000
MAX_LABELS_AN_IMAGE = 50
LINE_LIMIT = 100_000

CLASSIFICATION = "groundtruth/image-classification"
DETECTION = "groundtruth/object-detection"


class BadLineError(Exception):
    """A line that the service would count as invalid."""


@dataclass(frozen=True)
class Entry:
    """An image with its labels, in the order of the line."""

    source: str
    line: str
    labels: tuple[str, ...]
    boxes: Counter[str] = field(default_factory=Counter)

    @property
    def location(self) -> Location:
        """Where the image is."""
        return location(self.source)


@dataclass(frozen=True)
class Invalid:
    """A line that cannot be used, and why."""

    number: int
    line: str
    reason: str


def location(source: str) -> Location:
    """The object that a `source-ref` names."""
    parts = urlsplit(source, allow_fragments=False)
    # A key may hold a question mark, which a URL would end at.
    key = parts.path.removeprefix("/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme != "s3" or not parts.netloc or not key:
        raise BadLineError(f"source-ref {source!r} is not s3://bucket/key")
    return Location(parts.netloc, key)


def parse(text: str) -> Iterator[Entry | Invalid]:
    """The lines of a manifest; empty lines are passed over."""
    # Not splitlines: a label may hold one of the other characters that it breaks at.
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.rstrip("\r")
        if not line.strip():
            continue
        try:
            yield read_line(line)
        except BadLineError as error:
            yield Invalid(number, line, str(error))


def read_line(line: str) -> Entry:
    """One image; BadLineError if the line is none."""
    if len(line) > LINE_LIMIT:
        raise BadLineError("the line is too long")
    try:
        fields = json.loads(line)
    except ValueError as error:
        raise BadLineError(f"not JSON: {error}") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("source-ref"), str):
        raise BadLineError("there is no source-ref")
    location(fields["source-ref"])
    labels, boxes = _labels(fields)
    if len(labels) > MAX_LABELS_AN_IMAGE or boxes.total() > MAX_LABELS_AN_IMAGE:
        raise BadLineError(f"more than {MAX_LABELS_AN_IMAGE} labels")
    return Entry(fields["source-ref"], line, tuple(labels), boxes)


def _labels(fields: dict[str, Any]) -> tuple[list[str], Counter[str]]:
    """The labels of a line, each once in the order of the line, and how many boxes each has."""
    labels: list[str] = []
    boxes: Counter[str] = Counter()
    for name, metadata in fields.items():
        if not name.endswith("-metadata") or not isinstance(metadata, dict):
            continue
        if metadata.get("type") == CLASSIFICATION:
            labels.append(_class_name(name, metadata))
        elif metadata.get("type") == DETECTION:
            areas = _boxes(name, fields.get(name.removesuffix("-metadata")), metadata)
            boxes.update(label for _, label in areas)
            # The trainer knows whole images only: the largest box stands for the image.
            labels.extend(label for _, label in sorted(areas, reverse=True))
    return list(dict.fromkeys(labels)), boxes


def _class_name(name: str, metadata: dict[str, Any]) -> str:
    label = metadata.get("class-name")
    if not isinstance(label, str) or not label:
        raise BadLineError(f"{name} has no class-name")
    return label


def _boxes(name: str, value: Any, metadata: dict[str, Any]) -> list[tuple[float, str]]:
    try:
        classes = metadata["class-map"]
        return [
            (float(box["width"]) * float(box["height"]), str(classes[str(box["class_id"])]))
            for box in value["annotations"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise BadLineError(f"{name} or its boxes lack {error}") from error
