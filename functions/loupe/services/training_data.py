"""Update the project's datasets to what a version is trained on, and keep a snapshot of it."""

from dataclasses import dataclass

from loupe.adapters.rekognition import DatasetState
from loupe.domain.comparison import sample
from loupe.domain.failures import blames_data
from loupe.domain.keys import MANIFEST_PREFIX
from loupe.domain.labelled_images import SPLITS, Split
from loupe.domain.manifest import ManifestEntry, batches, difference, parse, render
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
    updated = [update_dataset(split, name, deps) for split in SPLITS]
    status = "ready" if all(updated) else "changing"
    return DatasetProgress(status, version.training_images, version.holdout_images)


def manifest_key(version: str, split: str) -> str:
    """Where the snapshot of what `version` was trained ("train") or tested on stands."""
    return f"{MANIFEST_PREFIX}{version}/{split}.manifest"


def manifest_entries(version: str, split: str, deps: Deps) -> list[ManifestEntry]:
    """The snapshot's entries; raises NotFound when the attempt failed before it was written."""
    return parse(deps.objects.read(manifest_key(version, split)).decode())


def snapshot(version: Version, deps: Deps) -> Version:
    """Write the manifests of all usable images of the labels that are trained."""
    entries: dict[str, list[ManifestEntry]] = {Split.TRAIN: [], Split.TEST: []}
    for split, entry in deps.dataset.entries(deps.objects.bucket):
        if entry.label in version.labels:
            entries[split].append(entry)
    test_images = len(entries[Split.TEST])
    entries[Split.TEST] = sample(entries[Split.TEST], MOST_TEST_IMAGES)
    for split in SPLITS:
        manifest = render(entries[split]).encode()
        deps.objects.write(manifest_key(version.name, split), manifest, "application/jsonl")
    reason = version.reason
    if left_out := test_images - len(entries[Split.TEST]):
        reason += f"; {left_out} test images are left out, because a test takes at most "
        reason += str(MOST_TEST_IMAGES)
    return deps.versions.save(
        version,
        training_images=len(entries[Split.TRAIN]),
        holdout_images=len(entries[Split.TEST]),
        reason=reason,
    )


def update_dataset(split: str, version: str, deps: Deps) -> bool:
    """One step for one dataset; returns whether it holds the snapshot of `version`."""
    dataset = deps.rekognition.dataset(split)
    if dataset.status in IN_PROGRESS:
        return False
    held = deps.versions.synced().get(split, "")
    if held == version and dataset.status in COULD_NOT_CHANGE:
        # This attempt ends with the service's reason; the next one creates the dataset again.
        deps.rekognition.delete_dataset(dataset.arn)
        error = ServiceRefused if blames_data(dataset.message) else ServiceFailed
        raise error(f"the {split} dataset could not be made: {dataset.message}")
    if held == version and dataset.status:
        return True
    _change(dataset, split, held, version, deps)
    return False


def _change(dataset: DatasetState, split: str, held: str, version: str, deps: Deps) -> None:
    """Create the dataset, add to it, or delete it, because an entry cannot be dropped."""
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
    changes = difference(old, new)
    updates = list(batches(changes.upserts))
    # The service takes one update at a time, and Loupe could not recognise half an update.
    if changes.drops or len(updates) > 1 or dataset.status in COULD_NOT_CHANGE:
        deps.rekognition.delete_dataset(dataset.arn)
        return
    for update in updates:
        deps.rekognition.update_dataset(dataset.arn, update)
    deps.versions.mark_synced(split, version)
