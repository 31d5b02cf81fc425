"""Manifests: the images that a version is trained and tested on, one JSON line each.

Format: SageMaker Ground Truth image classification, as Rekognition Custom Labels reads it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ATTRIBUTE = "label"
MAXIMUM_UPDATE_BYTES = 4_500_000
"""UpdateDatasetEntries accepts less than 5 MB a call."""


@dataclass(frozen=True)
class ManifestEntry:
    """One image with its true label. `content` (SHA-256) and `source` are Loupe's own lineage."""

    uri: str
    label: str
    content: str
    source: str
    at: str

    def line(self) -> str:
        metadata = {
            "confidence": 1,
            "class-name": self.label,
            "human-annotated": "yes",
            "creation-date": self.at.removesuffix("Z"),
            "type": "groundtruth/image-classification",
            "job-name": f"loupe/{self.source}/{self.content}",
        }
        line = {"source-ref": self.uri, ATTRIBUTE: 1, f"{ATTRIBUTE}-metadata": metadata}
        return json.dumps(line, ensure_ascii=False)


def render(entries: Iterable[ManifestEntry]) -> str:
    """The manifest of `entries`, in a stable order."""
    return "".join(entry.line() + "\n" for entry in sorted(entries, key=lambda e: e.uri))


def parse(manifest: str) -> list[ManifestEntry]:
    """The entries of a manifest that Loupe wrote."""
    # Not splitlines: a key may contain one of its other line separators.
    return [_entry(json.loads(line)) for line in manifest.split("\n") if line]


def _entry(line: Mapping[str, object]) -> ManifestEntry:
    metadata = line[f"{ATTRIBUTE}-metadata"]
    assert isinstance(metadata, dict)
    _, source, content = metadata["job-name"].split("/")
    return ManifestEntry(
        uri=str(line["source-ref"]),
        label=metadata["class-name"],
        content=content,
        source=source,
        at=metadata["creation-date"] + "Z",
    )


@dataclass(frozen=True)
class Difference:
    """The changes from one manifest to another. A dataset accepts new lines but never drops one."""

    upserts: tuple[str, ...]
    drops: int


def difference(old: str, new: str) -> Difference:
    """The changes that a dataset with the lines `old` needs to hold `new`."""
    before = {entry.uri: entry.line() for entry in parse(old)}
    after = {entry.uri: entry.line() for entry in parse(new)}
    return Difference(
        upserts=tuple(line for uri, line in sorted(after.items()) if before.get(uri) != line),
        drops=len(before.keys() - after.keys()),
    )


def batches(lines: Iterable[str], limit: int = MAXIMUM_UPDATE_BYTES) -> Iterable[bytes]:
    """Lines packed into updates of at most `limit` bytes."""
    batch = b""
    for line in lines:
        encoded = line.encode() + b"\n"
        if batch and len(batch) + len(encoded) > limit:
            yield batch
            batch = b""
        batch += encoded
    if batch:
        yield batch
