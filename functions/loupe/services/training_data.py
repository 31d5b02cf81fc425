"""Bring the project's datasets to what a version is to be trained on, and keep a snapshot of it."""

from dataclasses import dataclass

from loupe.adapters.rekognition import DatasetState
from loupe.domain.comparison import sample
from loupe.domain.failures import blames_data
from loupe.domain.keys import MANIFEST_PREFIX
from loupe.domain.labelled_images import Split
from loupe.domain.manifest import ManifestEntry, batches, difference, render
from loupe.domain.versions import Version
from loupe.errors import NotFound, ServiceFailed, ServiceRefused
from loupe.wiring import Deps

IN_PROGRESS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
COULD_NOT_CHANGE = ("CREATE_FAILED", "UPDATE_FAILED")
MOST_TEST_IMAGES = 1000
"""Images of a TEST dataset that Rekognition Custom Labels takes."""


@dataclass(frozen=True)
class DatasetProgress:
    """`status` is "ready", or "changing" while the service works on it: call again later."""

    status: str
    training_images: int = 0
    holdout_images: int = 0


def build_datasets(name: str, deps: Deps) -> DatasetProgress:
    """One step towards datasets that hold the snapshot of version `name`."""
    version = deps.versions.get(name)
    if deps.rekognition.version(name).status:
        return DatasetProgress("ready", version.training_images, version.holdout_images)
    if not version.training_images:
        version = snapshot(version, deps)
    ready = [bring_up_to_date(split, name, deps) for split in (Split.TRAIN, Split.TEST)]
    status = "ready" if all(ready) else "changing"
    return DatasetProgress(status, version.training_images, version.holdout_images)


def manifest_key(version: str, split: str) -> str:
    """Where the snapshot of what `version` was trained ("train") or tested on stands."""
    return f"{MANIFEST_PREFIX}{version}/{split}.manifest"


def snapshot(version: Version, deps: Deps) -> Version:
    """Write the manifests of everything usable now, of the labels that are trained."""
    entries: dict[str, list[ManifestEntry]] = {Split.TRAIN: [], Split.TEST: []}
    for split, entry in deps.dataset.entries(deps.objects.bucket):
        if entry.label in version.labels:
            entries[split].append(entry)
    tested = sample(entries[Split.TEST], MOST_TEST_IMAGES)
    left_out = len(entries[Split.TEST]) - len(tested)
    for split, written in ((Split.TRAIN, entries[Split.TRAIN]), (Split.TEST, tested)):
        key = manifest_key(version.name, split)
        deps.objects.write(key, render(written).encode(), "application/jsonl")
    return deps.versions.save(
        version,
        training_images=len(entries[Split.TRAIN]),
        holdout_images=len(tested),
        reason=version.reason + (f"; {_surplus(left_out)}" if left_out else ""),
    )


def _surplus(images: int) -> str:
    return f"{images} test images are left out, because a test takes at most {MOST_TEST_IMAGES}"


def bring_up_to_date(split: str, version: str, deps: Deps) -> bool:
    """One step for one dataset; True when it holds the snapshot of `version`."""
    dataset = deps.rekognition.dataset(split)
    if dataset.status in IN_PROGRESS:
        return False
    held = deps.versions.synced().get(split, "")
    if held == version and dataset.status in COULD_NOT_CHANGE:
        # Made anew by the next attempt; this one ends with the service's reason.
        deps.rekognition.delete_dataset(dataset.arn)
        kind = ServiceRefused if blames_data(dataset.message) else ServiceFailed
        raise kind(f"the {split} dataset could not be made: {dataset.message}")
    if held == version and dataset.status:
        return True
    _change(dataset, split, held, version, deps)
    return False


def _change(dataset: DatasetState, split: str, held: str, version: str, deps: Deps) -> None:
    """Create, add to, or (an entry cannot be dropped) delete the dataset."""
    if not dataset.status:
        deps.versions.mark_synced(split, version)
        deps.rekognition.create_dataset(split, deps.objects.bucket, manifest_key(version, split))
        return
    try:
        old = deps.objects.read(manifest_key(held, split)).decode()
    except NotFound:
        deps.rekognition.delete_dataset(dataset.arn)
        return
    new = deps.objects.read(manifest_key(version, split)).decode()
    wanted = difference(old, new)
    updates = list(batches(wanted.upserts))
    # The service takes one update at a time, and what is half updated would not be known again.
    if wanted.drops or len(updates) > 1 or dataset.status in COULD_NOT_CHANGE:
        deps.rekognition.delete_dataset(dataset.arn)
        return
    for update in updates:
        deps.rekognition.update_dataset(dataset.arn, update)
    deps.versions.mark_synced(split, version)
