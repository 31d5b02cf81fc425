"""Register labelled images that were added, replaced or removed: choose a side, keep the counts.

An event only says that a key changed; the bucket says what is true now. So repeated, late and
reordered events do no harm.
"""

import random
import time
from collections.abc import Mapping
from dataclasses import replace

from loupe.adapters.dataset import bands
from loupe.adapters.objects import StoredObject
from loupe.adapters.reviews import conflicting
from loupe.adapters.suspects import no_suspect
from loupe.domain.alignment import same_picture
from loupe.domain.fingerprint import Fingerprint, fingerprint
from loupe.domain.images import UnreadableImage, check_size
from loupe.domain.keys import label_of, timestamp
from loupe.domain.labelled_images import (
    Group,
    GroupMember,
    LabelledImage,
    LabelledImageStatus,
    add_member,
    hashed_key,
    imported_split,
    labelled_event,
    provenance,
    remove_member,
)
from loupe.domain.object_events import changed_object
from loupe.domain.review import label_conflict_id
from loupe.domain.series import series_of
from loupe.errors import AlreadyDone, InvalidRequest, NotFound, TryAgain
from loupe.telemetry import logger
from loupe.wiring import Deps

ATTEMPTS = 20
SPLIT_WORDS = {"train": "training", "test": "testing only", "neither": "neither side"}


def register(body: str, deps: Deps) -> None:
    """One message. The registration starts again when another one came in between."""
    changed = changed_object(body)
    if changed is None:
        return
    for attempt in range(ATTEMPTS):
        try:
            reconcile(changed.key, deps)
        except (AlreadyDone, TryAgain):
            time.sleep(random.uniform(0, min(1.0, 0.05 * 2**attempt)))
        else:
            return
    raise TryAgain(f"{changed.key!r} could not be registered: too many at the same time")


def reconcile(key: str, deps: Deps) -> None:
    """Bring the record of `key` in line with the bucket."""
    record = deps.dataset.labelled_image(key)
    is_listed = record is not None and record.status != LabelledImageStatus.REMOVED
    try:
        stored = deps.objects.current(key)
    except NotFound:
        if record and is_listed:
            remove(record, deps)
        return
    if record and is_listed:
        if record.version == _version(stored):
            return
        if record.status == LabelledImageStatus.REGISTERED:
            remove(record, deps)
    add(stored, deps)


def remove(image: LabelledImage, deps: Deps) -> None:
    """Record that the object was deleted or replaced."""
    now = deps.clock()
    removed = replace(image, status=LabelledImageStatus.REMOVED, at=timestamp(now))
    events = [labelled_event("ExampleRemoved", image, now)]
    label_counts = deps.dataset.label_counts()
    if image.status != LabelledImageStatus.REGISTERED:
        deps.dataset.note(removed, image, label_counts, events)
        return
    group = deps.dataset.group(image.group)
    series = deps.dataset.series({member.series for member in group.members})
    change = remove_member(group, image.key, label_counts.by_label, series)
    more = conflicting(change, deps.objects.bucket, removed.at, deps.reviews)
    deps.dataset.write(removed, change, label_counts, [*more, no_suspect(image.key)], events)


def add(stored: StoredObject, deps: Deps) -> None:
    """Register the object, or record why it cannot be a labelled image."""
    key, now = stored.image.key, deps.clock()
    before, label_counts = deps.dataset.labelled_image(key), deps.dataset.label_counts()
    image = LabelledImage(
        key,
        "",
        LabelledImageStatus.REGISTERED,
        timestamp(now),
        _version(stored),
        attempts=label_counts.attempts,
    )
    try:
        image = replace(image, label=label_of(key), **provenance(stored.metadata))
        check_size(stored.image.size)
        picture = fingerprint(deps.objects.read(key, stored.image.version))
    except (InvalidRequest, UnreadableImage, NotFound) as error:
        reason = str(error)
        rejected = replace(image, status=LabelledImageStatus.REJECTED, reason=reason)
        event = labelled_event("ExampleRejected", image, now, reason=reason)
        deps.dataset.note(rejected, before, label_counts, [event])
        return
    _register(image, picture, stored.metadata, deps)
    logger.info("registered", extra={"review": stored.metadata.get("loupe-loop", "")})


def _version(stored: StoredObject) -> str:
    return stored.image.version or stored.image.etag


def _register(
    image: LabelledImage, picture: Fingerprint, metadata: Mapping[str, str], deps: Deps
) -> None:
    label_counts, settings = deps.dataset.label_counts(), deps.parameters.settings()
    member = GroupMember(
        image.key,
        image.label,
        image.version,
        picture.content,
        image.source,
        label_counts.attempts,
        series_of(image.key, image.label, metadata, settings.group_images_by),
    )
    matches = same_pictures(picture, deps)
    series = {each.series for group in matches for each in group.members} | {member.series}
    change = add_member(
        member,
        image.reviewers,
        matches,
        label_counts.by_label,
        settings.holdout_percent,
        hashed_key(f"{image.key}/{image.version}"),
        imported_split(metadata),
        deps.dataset.series(series),
    )
    group = change.after
    others = [member.key for member in group.members if member.label != image.label]
    if any(_was_removed(key, deps) for key in others):
        raise TryAgain("the same picture was under another label a moment ago")
    now, reason = deps.clock(), change.reason or "The picture is new."
    split = SPLIT_WORDS[group.split]
    events = [
        labelled_event("ExampleAdded", image, now, label=image.label, split=split, reason=reason)
    ]
    if group.in_conflict:
        labels, review = list(group.labels), label_conflict_id(group.id)
        events.append(
            labelled_event("LabelConflict", image, now, other=others, labels=labels, review=review)
        )
    registered = replace(image, group=group.id, split=group.split, reason=change.reason)
    more = conflicting(change, deps.objects.bucket, image.at, deps.reviews)
    more += bands(picture, group.id)
    deps.dataset.write(registered, change, label_counts, more, events)


def _was_removed(key: str, deps: Deps) -> bool:
    """Whether a registered object was removed or replaced; this records it.

    So an image that moves from one label's folder to another's is relabelled and no conflict,
    whichever of the two events comes first.
    """
    before = deps.dataset.labelled_image(key)
    reconcile(key, deps)
    return deps.dataset.labelled_image(key) != before


def same_pictures(picture: Fingerprint, deps: Deps) -> list[Group]:
    """Groups that show the same picture."""
    groups = {
        group
        for group, signature in deps.dataset.candidates(picture)
        if same_picture(picture.signature, signature)
    }
    return [deps.dataset.group(group) for group in sorted(groups)]
