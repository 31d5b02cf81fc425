"""The operator's hand on labelled images: look at them, relabel them, remove them."""

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence

from loupe.domain.keys import LABELLED_PREFIX, check_label, people
from loupe.domain.labelled_images import (
    SPLITS,
    LabelledImage,
    LabelledImageStatus,
    Split,
    remark,
)
from loupe.domain.manifest import parse
from loupe.errors import LoupeError, NotFound
from loupe.services.training_data import manifest_key
from loupe.wiring import Deps

VERSIONS_LOOKED_AT = 20


def labelled_image(identity: str, deps: Deps) -> LabelledImage:
    """The labelled image with this id; raises NotFound."""
    example = deps.dataset.labelled_image_by_id(identity)
    if example is None:
        raise NotFound("There is no such labelled image (any more).")
    return example


def relabel(identities: Sequence[str], label: str, by: str, deps: Deps) -> Mapping[str, str]:
    """Move images to another label's folder; their registration follows. Why not, by id."""
    check_label(label)

    def move(example: LabelledImage) -> None:
        if example.label == label:
            return
        image = deps.objects.current(example.key).image
        stem, extension = posixpath.splitext(posixpath.basename(example.key))
        key = f"{LABELLED_PREFIX}{label}/{stem[:100]}.{example.id[:8]}{extension[:10]}"
        deps.objects.copy(image, key, {"loupe-by": people([by])})
        deps.objects.delete(example.key)

    return _each(identities, move, deps)


def remove(identities: Sequence[str], deps: Deps) -> Mapping[str, str]:
    """Delete images from their folders; the bucket keeps their old versions. Why not, by id."""
    return _each(identities, lambda example: deps.objects.delete(example.key), deps)


def remark_on(example: LabelledImage, deps: Deps) -> str:
    """What is true of its picture now; what was when it came is in its history."""
    if example.status != LabelledImageStatus.REGISTERED:
        return example.reason
    return remark(deps.dataset.group(example.group), example.key)


def versions_with(example: LabelledImage, deps: Deps) -> Iterator[tuple[str, Split]]:
    """(version, split) of the newest versions that the image was part of."""
    uri = f"s3://{deps.objects.bucket}/{example.key}"
    for _, version in zip(range(VERSIONS_LOOKED_AT), deps.versions.newest(), strict=False):
        for split in SPLITS:
            try:
                manifest = deps.objects.read(manifest_key(version.name, split)).decode()
            except NotFound:
                continue  # The attempt failed before its snapshot was written.
            if any(entry.uri == uri for entry in parse(manifest)):
                yield version.name, split


def _each(
    identities: Sequence[str], act: Callable[[LabelledImage], None], deps: Deps
) -> Mapping[str, str]:
    refused = {}
    for identity in dict.fromkeys(identities):
        try:
            act(labelled_image(identity, deps))
        except LoupeError as error:
            refused[identity] = str(error)
    return refused
