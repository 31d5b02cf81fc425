"""Two trained versions of a model that tells crates from pallets, for the sample events."""

import hashlib
import io
import random
import time
from collections.abc import Callable, Mapping

from PIL import Image, ImageDraw

from loupe.adapters.rekognition import VersionState
from loupe.domain.keys import LABELLED_PREFIX, MANIFEST_PREFIX
from loupe.domain.labelled_images import Split
from loupe.domain.manifest import ManifestEntry, render
from loupe.errors import ServiceRefused
from loupe.wiring import Deps

CHAMPION, CHALLENGER = "v3", "v4"
VERSIONS = (CHAMPION, CHALLENGER)
LABELS = ("crate", "pallet")
IMAGES = {Split.TRAIN: range(8), Split.TEST: range(8, 12)}
"""Numbers of each label's pictures, by what they are for."""
SIDE = 160
AT = "2026-03-01T08:00:00.000Z"
DEADLINE = 240
POLL = 0.3


def picture(label: str, number: int) -> bytes:
    """Picture `number` of a crate or a pallet, as PNG; the same each time."""
    dice = random.Random(f"{label} {number}")
    ground, wood = (dice.randrange(190, 256),) * 3, (dice.randrange(120, 170), 90, 40)
    image = Image.new("RGB", (SIDE, SIDE), ground)
    draw = ImageDraw.Draw(image)
    left, top, size = dice.randrange(10, 40), dice.randrange(10, 40), dice.randrange(90, 120)
    right, bottom = left + size, top + size
    if label == "crate":
        draw.rectangle((left, top, right, bottom), outline=wood, width=8)
        draw.line((left, top, right, bottom), fill=wood, width=8)
        draw.line((left, bottom, right, top), fill=wood, width=8)
    else:
        for height in range(top, bottom, size // 4):
            draw.rectangle((left, height, right, height + 9), fill=wood)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def manifest_key(version: str, split: str) -> str:
    """Where the manifest of what a version was trained or tested on stands."""
    return f"{MANIFEST_PREFIX}{version}/{split}.manifest"


def running(deps: Deps) -> Mapping[str, VersionState]:
    """The versions by name, trained the first time and started if they rest.

    Raises ServiceRefused when one cannot be trained or started.
    """
    if not deps.rekognition.version(CHALLENGER).status:
        _make_datasets(deps)
    for name in VERSIONS:
        if not deps.rekognition.version(name).status:
            deps.rekognition.train(name, deps.objects.bucket)
    for name in VERSIONS:
        _wait(_is_trained, name, deps)
        _wait(_runs, name, deps)
    return {name: deps.rekognition.version(name) for name in VERSIONS}


def _make_datasets(deps: Deps) -> None:
    for split, numbers in IMAGES.items():
        entries = [_upload(label, number, deps) for label in LABELS for number in numbers]
        manifest = render(entries).encode()
        for name in VERSIONS:
            deps.objects.write(manifest_key(name, split), manifest, "application/jsonl")
        if not deps.rekognition.dataset(split).status:
            key = manifest_key(CHAMPION, split)
            deps.rekognition.create_dataset(split, deps.objects.bucket, key)
    for split in IMAGES:
        _wait(_is_made, split, deps)


def _upload(label: str, number: int, deps: Deps) -> ManifestEntry:
    body = picture(label, number)
    key = f"{LABELLED_PREFIX}{label}/{label} {number:04}.png"
    deps.objects.write(key, body, "image/png")
    content = hashlib.sha256(body).hexdigest()
    return ManifestEntry(f"s3://{deps.objects.bucket}/{key}", label, content, "uploaded", AT)


def _is_made(split: str, deps: Deps) -> bool:
    dataset = deps.rekognition.dataset(split)
    if dataset.status.endswith("FAILED"):
        raise ServiceRefused(f"the {split} dataset of the sample events: {dataset.message}")
    return dataset.status == "CREATE_COMPLETE"


def _is_trained(name: str, deps: Deps) -> bool:
    state = deps.rekognition.version(name)
    if state.status == "TRAINING_FAILED":
        raise ServiceRefused(f"version {name} of the sample events: {state.message}")
    return state.status != "TRAINING_IN_PROGRESS"


def _runs(name: str, deps: Deps) -> bool:
    state = deps.rekognition.version(name)
    if state.status in ("TRAINING_COMPLETED", "STOPPED"):
        deps.rekognition.start(state.arn, 1, 1)
    elif state.status == "FAILED":
        raise ServiceRefused(f"version {name} of the sample events: {state.message}")
    return state.status == "RUNNING"


def _wait(is_so: Callable[[str, Deps], bool], name: str, deps: Deps) -> None:
    deadline = time.monotonic() + DEADLINE
    while not is_so(name, deps):
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"The model of the sample events is not ready after {DEADLINE} seconds; "
                "'stack.log' below .loupe/ says what it does."
            )
        time.sleep(POLL)
