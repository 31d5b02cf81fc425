"""Labels that are probably wrong: list the images after a training, confirm or correct them."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from loupe.adapters.rekognition import held_out, held_out_key
from loupe.domain.comparison import Predictions
from loupe.domain.keys import check_label, people, timestamp
from loupe.domain.labelled_images import Split, hashed_key
from loupe.domain.suspects import ListedSuspect, Opinion, SuspectState, suspects_of
from loupe.errors import InvalidRequest, NotFound
from loupe.services.dataset import (
    key_under,
    labelled_image,
    move_image,
    versions_with,
)
from loupe.services.training_data import manifest_entries
from loupe.wiring import Deps

SUSPECTS = "SUSPECTS"
VERSIONS_ASKED = 5
MOST_LISTED = 200
"""A training lists the most doubtful; once these are decided, the next training lists others."""


def list_after_comparison(deps: Deps) -> bool:
    """List suspects once after each comparison of two versions; returns whether this is the time.

    A training does not wait for it, nor fail with it.
    """
    compared = (version for version in deps.versions.newest() if version.comparison)
    newest = next(islice(compared, 1), None)
    listed = deps.pointers.get(SUSPECTS, {"pointer": ""})["pointer"]
    if newest is None or newest.name == listed:
        return False
    list_suspects(deps)
    deps.pointers.save(SUSPECTS, {"pointer": newest.name})
    return True


def list_suspects(deps: Deps) -> None:
    """List the labelled images that versions doubt now, in place of those listed before."""
    pictures = [group for _, group in deps.dataset.groups(after="", page=0)]
    confirmed = {suspect.key for suspect in deps.suspects.all(SuspectState.CONFIRMED)}
    doubted = suspects_of(pictures, _opinions(deps), timestamp(deps.clock()))
    listed = [suspect for suspect in doubted if suspect.key not in confirmed][:MOST_LISTED]
    keys = {suspect.key for suspect in listed}
    for suspect in deps.suspects.all(SuspectState.OPEN):
        if suspect.key not in keys:
            deps.suspects.drop(suspect)
    for suspect in listed:
        deps.suspects.write(suspect)


def _opinions(deps: Deps) -> Iterator[Opinion]:
    """What the newest versions say of images that they were not trained on, and what their
    trainings said of images that they held out in turn.
    """
    for version in islice(deps.versions.newest(), VERSIONS_ASKED):
        predictions = deps.versions.predictions(version.name)
        if not predictions:
            continue
        try:
            trained_on = manifest_entries(version.name, Split.TRAIN, deps)
        except NotFound:
            continue  # Nobody knows what it was trained on.
        contents = {entry.uri: entry.content for entry in trained_on}
        yield Opinion(version.name, version.labels, predictions, set(contents.values()))
        unseen = _held_out(version.name, deps)
        said = {contents[uri]: unseen[uri] for uri in contents if uri in unseen}
        yield Opinion(version.name, version.labels, said)


def _held_out(version: str, deps: Deps) -> Predictions:
    """By the address of a training image; Rekognition says nothing of these."""
    try:
        summary = deps.rekognition.version(version).evaluation
        key = summary and held_out_key(deps.objects.read(summary))
        return held_out(deps.objects.read(key)) if key else {}
    except NotFound:
        return {}  # The version, or its evaluation, was deleted.


def open_suspects(deps: Deps) -> list[ListedSuspect]:
    """The labelled images to look at again, the most doubtful first."""
    return sorted(deps.suspects.all(SuspectState.OPEN), key=lambda each: (-each.lead, each.key))


def confirm(identity: str, by: str, deps: Deps) -> ListedSuspect:
    """Say that the label is right: the image is not listed again under it. Raises NotFound."""
    suspect = deps.suspects.get(identity)
    confirmed = replace(suspect, state=SuspectState.CONFIRMED, by=by)
    deps.suspects.confirm(confirmed)
    return confirmed


def correct(identity: str, label: str, by: str, deps: Deps) -> list[str]:
    """Give the picture, with its near duplicates, another label; their registration follows.

    Returns the versions that were trained on the wrong label, the newest first. Raises NotFound and
    InvalidRequest.
    """
    suspect = deps.suspects.get(identity)
    if check_label(label) == suspect.label:
        raise InvalidRequest(f"{suspect.name} is labelled {label} already: confirm it instead.")
    group = deps.dataset.group(labelled_image(identity, deps).group)
    images = [
        labelled_image(hashed_key(member.key), deps)
        for member in group.members
        if member.label == suspect.label
    ]
    if not images:
        raise NotFound(f"{suspect.name} is not in the dataset (any more).")
    splits = versions_with([image.key for image in images], deps)
    trained = [version for version, split in splits if split == Split.TRAIN]
    for image in images:
        decided = replace(
            suspect,
            key=key_under(label, image),
            label=label,
            at=timestamp(deps.clock()),
            state=SuspectState.CONFIRMED,
            by=by,
        )
        deps.suspects.confirm(decided)
        move_image(image, label, {"loupe-by": people([by])}, deps)
    deps.suspects.drop(suspect)
    return trained
