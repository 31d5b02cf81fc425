"""Keys of the bucket, and the names derived from them.

Keys are used exactly as EventBridge delivers them, never URL-decoded or normalised: two different
keys, of two different images, may decode to the same text.
"""

import hashlib
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote

from loupe.domain.settings import LABEL, NO_LABELS
from loupe.errors import InvalidRequest

DETECTION_PREFIX = "images_for_detection/"
LABELLED_PREFIX = "images_labeled_by_folder/"
REVIEW_PREFIX = "a2i-human-loop-data/"
MANIFEST_PREFIX = "manifests/"
EVALUATION_PREFIX = "evaluation/"

NONE_OF_THE_ABOVE = "none of the above"
NOT_LABELS = (".", "..", NO_LABELS, NONE_OF_THE_ABOVE)
LONGEST_STEM = 100
LONGEST_EXTENSION = 10
"""In a copy's key, which S3 limits to 1024 bytes, however long the image's own key is."""


@dataclass(frozen=True)
class ImageRef:
    """One version of one object. `version` is S3's version id, or "" where there is none."""

    bucket: str
    key: str
    version: str
    etag: str
    size: int

    @property
    def id(self) -> str:
        """32 hex digits, the same for every delivery of the same upload."""
        identity = f"{self.bucket}/{self.key}@{self.version or self.etag}"
        return hashlib.sha256(identity.encode()).hexdigest()[:32]

    @property
    def name(self) -> str:
        """The key without its prefix: the image's name for people."""
        for prefix in (DETECTION_PREFIX, LABELLED_PREFIX):
            if self.key.startswith(prefix):
                return self.key[len(prefix) :]
        return self.key

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def check_label(label: str) -> str:
    """Return `label` if it can be a label (and so a folder's name), else raise InvalidRequest."""
    if re.fullmatch(LABEL, label) is None or label in NOT_LABELS:
        raise InvalidRequest(
            f"{label!r} cannot be a label: use 1 to 100 characters without ',', '/', '\\' or line "
            f"breaks, no space at either end, and none of {', '.join(map(repr, NOT_LABELS))}."
        )
    return label


def label_of(key: str) -> str:
    """The label that a key `images_labeled_by_folder/<label>/<anything>` states.

    Raises InvalidRequest when the key has no label folder or the folder's name cannot be a label.
    """
    label, slash, name = key.removeprefix(LABELLED_PREFIX).partition("/")
    if not slash or not name:
        raise InvalidRequest(
            f"{key!r} names no label: put the image into {LABELLED_PREFIX}<label>/."
        )
    return check_label(label)


def is_folder_marker(key: str, size: int) -> bool:
    """Whether the object only marks an empty folder, as S3's own console creates them."""
    return key.endswith("/") and size == 0


def labelled_key(label: str, image: ImageRef) -> str:
    """The key of a reviewed image's copy; different images never share a key."""
    stem, extension = posixpath.splitext(posixpath.basename(image.key))
    name = f"{stem[:LONGEST_STEM]}.{image.id[:12]}{extension[:LONGEST_EXTENSION]}"
    return f"{LABELLED_PREFIX}{check_label(label)}/{name}"


def review_output_key(flow: str, loop: str, at: datetime) -> str:
    """The key of a review's answers, in the layout of Amazon A2I."""
    return f"{REVIEW_PREFIX}{flow}/{at:%Y/%m/%d/%H/%M/%S}/{loop}/output.json"


def people(names: Iterable[str]) -> str:
    """Names encoded for an object's metadata, which is ASCII."""
    return ",".join(quote(name, safe="@") for name in names)


def named_people(text: str) -> tuple[str, ...]:
    """The names that `people` encoded."""
    return tuple(unquote(name) for name in text.split(",") if name)


def sort_key(at: str, identity: str) -> str:
    """The sort key of an item in a listing by time, unique for each item."""
    return f"{at}#{identity}"


def timestamp(at: datetime) -> str:
    """A UTC time as sortable text with milliseconds, `2026-01-31T12:00:00.000Z`."""
    return at.isoformat(timespec="milliseconds")[:23] + "Z"
