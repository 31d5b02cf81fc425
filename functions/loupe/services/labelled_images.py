"""A labelled image came, changed or went: decide its side and keep the counts.

The event only says that a key changed; what is true now stands in the bucket. So repeated, late
and reordered events do no harm.
"""

import hashlib
import random
import time
from dataclasses import replace
from typing import Any

from loupe.adapters.objects import Current
from loupe.adapters.reviews import conflicting
from loupe.domain.alignment import same_picture
from loupe.domain.dataset import (
    COLD_START,
    NEITHER,
    REGISTERED,
    REJECTED,
    REMOVED,
    REVIEWED,
    SPLITS,
    UPLOADED,
    Example,
    Group,
    Member,
    add_member,
    remove_member,
)
from loupe.domain.events import event
from loupe.domain.fingerprint import Fingerprint, fingerprint
from loupe.domain.images import UnreadableImage, check_size
from loupe.domain.object_events import changed_object
from loupe.domain.places import label_of, named_people, stamp
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
    known = deps.dataset.example(key)
    try:
        found = deps.objects.current(key)
    except NotFound:
        if known and known.status != REMOVED:
            forget(known, deps)
        return
    version = found.image.version or found.image.etag
    if known and known.status != REMOVED and known.version == version:
        return
    if known and known.status == REGISTERED:
        forget(known, deps)
    learn(found, deps)


def forget(example: Example, deps: Deps) -> None:
    """The object is gone or has been replaced."""
    now = deps.clock()
    gone = replace(example, status=REMOVED, at=stamp(now))
    told = [
        event("ExampleRemoved", f"{example.key}/{example.version}", now, image=example.key),
    ]
    ledger = deps.dataset.ledger()
    if example.status != REGISTERED:
        deps.dataset.note(gone, example, ledger, told)
        return
    change = remove_member(deps.dataset.group(example.group), example.key, ledger.counts)
    conflict = conflicting(change, deps.objects.bucket, stamp(now), deps.reviews)
    deps.dataset.remove(gone, change, ledger, conflict, told)


def learn(found: Current, deps: Deps) -> None:
    """Register the object, or say why it cannot be a labelled image."""
    key, version = found.image.key, found.image.version or found.image.etag
    now = deps.clock()
    before, ledger = deps.dataset.example(key), deps.dataset.ledger()
    example = Example(key, "", REGISTERED, stamp(now), version, attempts=ledger.attempts)
    try:
        example = replace(example, label=label_of(key), **provenance(found))
        check_size(found.image.size)
        seen = fingerprint(deps.objects.read(key, found.image.version))
    except (InvalidRequest, UnreadableImage, NotFound) as error:
        rejected = replace(example, status=REJECTED, reason=str(error))
        told = event("ExampleRejected", f"{key}/{version}", now, image=key, reason=str(error))
        deps.dataset.note(rejected, before, ledger, [told])
        return
    _add(example, seen, decided_side(found), deps)
    logger.info("registered", extra={"review": found.metadata.get("loupe-loop", "")})


def decided_side(found: Current) -> str:
    """The side that an imported image had in the stack that it comes from, or ""."""
    side = found.metadata.get("loupe-split", "")
    return side if side in (*SPLITS, NEITHER) else ""


def provenance(found: Current) -> dict[str, Any]:
    """Who labelled it: people through a review, as the copy's metadata says, or who uploaded it."""
    by = named_people(found.metadata.get("loupe-by", ""))
    source = found.metadata.get("loupe-source", "").replace("-", " ")
    reviewers = found.metadata.get("loupe-reviewers", "")
    if source not in (REVIEWED, COLD_START) or not reviewers.isdecimal():
        return {"source": UPLOADED, "reviewers": 0, "by": by}
    return {"source": source, "reviewers": int(reviewers), "by": by}


def _add(example: Example, seen: Fingerprint, decided: str, deps: Deps) -> None:
    ledger = deps.dataset.ledger()
    member = Member(
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
        ledger.counts,
        deps.parameters.settings().holdout_percent,
        hashlib.sha256(f"{example.key}/{example.version}".encode()).hexdigest()[:32],
        decided,
    )
    group = change.after
    if any(_is_gone(other.key, deps) for other in _others(group, example)):
        raise TryAgain(f"{example.key!r} stands alone once what was relabelled is forgotten")
    told = [
        event(
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
        told.append(
            event(
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
    deps.dataset.register(registered, change, ledger, seen, conflict, told)


def _others(group: Group, example: Example) -> list[Member]:
    """The same picture under other labels."""
    return [member for member in group.members if member.label != example.label]


def _is_gone(key: str, deps: Deps) -> bool:
    """Whether a registered object was removed; then that is registered first.

    So an image that moves from one label's folder to another's is relabelled and no conflict,
    in whatever order the two events come.
    """
    before = deps.dataset.example(key)
    reconcile(key, deps)
    return deps.dataset.example(key) != before


def same_pictures(seen: Fingerprint, deps: Deps) -> list[Group]:
    """Groups that show the same picture as `seen`."""
    groups = {
        group
        for group, signature in deps.dataset.candidates(seen)
        if same_picture(seen.signature, signature)
    }
    return [deps.dataset.group(group) for group in sorted(groups)]
