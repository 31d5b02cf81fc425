"""A labelled image came, changed or went: decide its side and keep the counts.

The event only says that a key changed; what is true now stands in the bucket. So repeated, late
and reordered events do no harm.
"""

import hashlib
import random
import time
from dataclasses import replace
from typing import Any

from loupe.adapters.objects import StoredObject
from loupe.adapters.reviews import conflicting
from loupe.domain.alignment import same_picture
from loupe.domain.events import make_event
from loupe.domain.fingerprint import Fingerprint, fingerprint
from loupe.domain.images import UnreadableImage, check_size
from loupe.domain.keys import label_of, named_people, timestamp
from loupe.domain.labelled_images import (
    SPLITS,
    Group,
    GroupMember,
    ImageSource,
    LabelledImage,
    LabelledImageStatus,
    Split,
    add_member,
    remove_member,
)
from loupe.domain.object_events import changed_object
from loupe.domain.review import label_conflict_id
from loupe.errors import AlreadyDone, InvalidRequest, NotFound, TryAgain
from loupe.telemetry import logger
from loupe.wiring import Deps

ATTEMPTS = 20
SPLIT_WORDS = {"train": "training", "test": "testing only", "neither": "neither side"}


def register(body: str, deps: Deps) -> None:
    """One message. Whoever finds that another registration came between starts over."""
    image = changed_object(body)
    if image is None:
        return
    for attempt in range(ATTEMPTS):
        try:
            reconcile(image.key, deps)
        except (AlreadyDone, TryAgain):
            time.sleep(random.uniform(0, min(1.0, 0.05 * 2**attempt)))
        else:
            return
    raise TryAgain(f"{image.key!r} could not be registered: too many at the same time")


def reconcile(key: str, deps: Deps) -> None:
    """Make the table say of `key` what the bucket says."""
    known = deps.dataset.labelled_image(key)
    try:
        found = deps.objects.current(key)
    except NotFound:
        if known and known.status != LabelledImageStatus.REMOVED:
            forget(known, deps)
        return
    version = found.image.version or found.image.etag
    if known and known.status != LabelledImageStatus.REMOVED and known.version == version:
        return
    if known and known.status == LabelledImageStatus.REGISTERED:
        forget(known, deps)
    learn(found, deps)


def forget(example: LabelledImage, deps: Deps) -> None:
    """The object is gone or has been replaced."""
    now = deps.clock()
    gone = replace(example, status=LabelledImageStatus.REMOVED, at=timestamp(now))
    events = [
        make_event("ExampleRemoved", f"{example.key}/{example.version}", now, image=example.key),
    ]
    ledger = deps.dataset.label_counts()
    if example.status != LabelledImageStatus.REGISTERED:
        deps.dataset.note(gone, example, ledger, events)
        return
    change = remove_member(deps.dataset.group(example.group), example.key, ledger.by_label)
    conflict = conflicting(change, deps.objects.bucket, timestamp(now), deps.reviews)
    deps.dataset.remove(gone, change, ledger, conflict, events)


def learn(found: StoredObject, deps: Deps) -> None:
    """Register the object, or say why it cannot be a labelled image."""
    key, version = found.image.key, found.image.version or found.image.etag
    now = deps.clock()
    before, ledger = deps.dataset.labelled_image(key), deps.dataset.label_counts()
    example = LabelledImage(
        key, "", LabelledImageStatus.REGISTERED, timestamp(now), version, attempts=ledger.attempts
    )
    try:
        example = replace(example, label=label_of(key), **provenance(found))
        check_size(found.image.size)
        seen = fingerprint(deps.objects.read(key, found.image.version))
    except (InvalidRequest, UnreadableImage, NotFound) as error:
        rejected = replace(example, status=LabelledImageStatus.REJECTED, reason=str(error))
        event = make_event("ExampleRejected", f"{key}/{version}", now, image=key, reason=str(error))
        deps.dataset.note(rejected, before, ledger, [event])
        return
    _add(example, seen, decided_side(found), deps)
    logger.info("registered", extra={"review": found.metadata.get("loupe-loop", "")})


def decided_side(found: StoredObject) -> Split | None:
    """The side that an imported image had in the stack that it comes from, or None."""
    side = found.metadata.get("loupe-split", "")
    return Split(side) if side in (*SPLITS, Split.NEITHER) else None


def provenance(found: StoredObject) -> dict[str, Any]:
    """Who labelled it: people through a review, as the copy's metadata says, or who uploaded it."""
    by = named_people(found.metadata.get("loupe-by", ""))
    source = found.metadata.get("loupe-source", "").replace("-", " ")
    reviewers = found.metadata.get("loupe-reviewers", "")
    if source not in (ImageSource.REVIEWED, ImageSource.COLD_START) or not reviewers.isdecimal():
        return {"source": ImageSource.UPLOADED, "reviewers": 0, "by": by}
    return {"source": ImageSource(source), "reviewers": int(reviewers), "by": by}


def _add(example: LabelledImage, seen: Fingerprint, decided: Split | None, deps: Deps) -> None:
    ledger = deps.dataset.label_counts()
    member = GroupMember(
        example.key,
        example.label,
        example.version,
        seen.content,
        example.source,
        ledger.attempts,
    )
    change = add_member(
        member,
        example.reviewers,
        same_pictures(seen, deps),
        ledger.by_label,
        deps.parameters.settings().holdout_percent,
        hashlib.sha256(f"{example.key}/{example.version}".encode()).hexdigest()[:32],
        decided,
    )
    group = change.after
    if any(_is_gone(other.key, deps) for other in _others(group, example)):
        raise TryAgain(f"{example.key!r} stands alone once what was relabelled is forgotten")
    events = [
        make_event(
            "ExampleAdded",
            f"{example.key}/{example.version}",
            deps.clock(),
            image=example.key,
            label=example.label,
            split=SPLIT_WORDS[group.split],
            reason=change.reason or "The picture is new.",
        )
    ]
    if group.in_conflict:
        others = [member.key for member in _others(group, example)]
        events.append(
            make_event(
                "LabelConflict",
                f"{example.key}/{example.version}",
                deps.clock(),
                image=example.key,
                other=others,
                labels=list(group.labels),
                review=label_conflict_id(group.id),
            )
        )
    registered = replace(example, group=group.id, split=group.split, reason=change.reason)
    conflict = conflicting(change, deps.objects.bucket, example.at, deps.reviews)
    deps.dataset.register(registered, change, ledger, seen, conflict, events)


def _others(group: Group, example: LabelledImage) -> list[GroupMember]:
    """The same picture under other labels."""
    return [member for member in group.members if member.label != example.label]


def _is_gone(key: str, deps: Deps) -> bool:
    """Whether a registered object was removed; then that is registered first.

    So an image that moves from one label's folder to another's is relabelled and no conflict,
    in whatever order the two events come.
    """
    before = deps.dataset.labelled_image(key)
    reconcile(key, deps)
    return deps.dataset.labelled_image(key) != before


def same_pictures(seen: Fingerprint, deps: Deps) -> list[Group]:
    """Groups that show the same picture as `seen`."""
    groups = {
        group
        for group, signature in deps.dataset.candidates(seen)
        if same_picture(seen.signature, signature)
    }
    return [deps.dataset.group(group) for group in sorted(groups)]
