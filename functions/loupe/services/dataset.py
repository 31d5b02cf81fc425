"""Look at labelled images, relabel them, remove them."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from loupe.domain.keys import LABELLED_PREFIX, check_label, people
from loupe.domain.labelled_images import SPLITS, LabelledImage, LabelledImageStatus, Split, remark
from loupe.errors import NotFound, errors_by_id
from loupe.services.training_data import manifest_entries
from loupe.wiring import Deps

VERSIONS_LOOKED_AT = 20


def labelled_image(identity: str, deps: Deps) -> LabelledImage:
    """The labelled image with this id; raises NotFound."""
    image = deps.dataset.labelled_image_by_id(identity)
    if image is None:
        raise NotFound("There is no such labelled image (any more).")
    return image


def relabel(identities: Sequence[str], label: str, by: str, deps: Deps) -> Mapping[str, str]:
    """Move images to another label's folder; their registration follows. Returns errors by id."""
    check_label(label)

    def move(identity: str) -> None:
        image = labelled_image(identity, deps)
        if image.label != label and not move_image(image, label, {"loupe-by": people([by])}, deps):
            raise NotFound(f"{image.name!r} is not in the bucket (any more)")

    return errors_by_id(identities, move)


def move_image(image: LabelledImage, label: str, metadata: Mapping[str, str], deps: Deps) -> bool:
    """Move an image to another label's folder; returns False when its object is gone already."""
    try:
        source = deps.objects.current(image.key).image
    except NotFound:
        return False
    deps.objects.copy(source, key_under(label, image), metadata)
    deps.objects.delete(image.key)
    return True


def key_under(label: str, image: LabelledImage) -> str:
    """The key that an image gets when it is moved to another label."""
    stem, extension = posixpath.splitext(posixpath.basename(image.key))
    return f"{LABELLED_PREFIX}{label}/{stem[:100]}.{image.id[:8]}{extension[:10]}"


def remove(identities: Sequence[str], deps: Deps) -> Mapping[str, str]:
    """Delete images from their folders; the bucket keeps old versions. Returns errors by id."""
    return errors_by_id(
        identities, lambda identity: deps.objects.delete(labelled_image(identity, deps).key)
    )


def remark_on(image: LabelledImage, deps: Deps) -> str:
    """What the operator has to know of the image now; its history says what was true before."""
    if image.status != LabelledImageStatus.REGISTERED:
        return image.reason
    return remark(deps.dataset.group(image.group), image.key)


def versions_with(keys: Iterable[str], deps: Deps) -> Iterator[tuple[str, Split]]:
    """(version, split) of the newest versions that one of the labelled objects was part of."""
    uris = {f"s3://{deps.objects.bucket}/{key}" for key in keys}
    for version in islice(deps.versions.newest(), VERSIONS_LOOKED_AT):
        for split in SPLITS:
            try:
                entries = manifest_entries(version.name, split, deps)
            except NotFound:
                continue  # The attempt failed before its snapshot was written.
            if any(entry.uri in uris for entry in entries):
                yield version.name, split
