"""When to train, and what to train on."""

from collections.abc import Sequence
from dataclasses import dataclass

from loupe.domain.dataset import Counts, thin_labels, trainable_labels

MAXIMUM_DOUBLINGS = 10
STALL_AFTER = 3
"""So many versions in a row that were not promoted double the number of images asked for."""

TRAINING = "training"
TRAINING_FAILED = "training_failed"
BELOW_GATE = "below_gate"
NOT_BETTER = "not_better"
WAITING_FOR_APPROVAL = "waiting_for_approval"
REFUSED = "refused"
FAILED = "failed"
IN_SERVICE = "in_service"
RETIRED = "retired"
IMPORTED = "imported"
"""The history of another stack: its model is not in this one's project."""
UNDECIDED = (TRAINING, WAITING_FOR_APPROVAL)


@dataclass(frozen=True)
class Progress:
    """What has happened since the last attempt, and how the attempts went.

    `unused` counts labelled images that came since and give a training nothing new, such as the
    same picture again; `unused_image` and `unused_why` tell of the newest of them.
    """

    attempts: int = 0
    changes: int = 0
    not_promoted: int = 0
    unused: int = 0
    unused_image: str = ""
    unused_why: str = ""


@dataclass(frozen=True)
class Attempt:
    """The newest version: its status, and its F1 once it is known."""

    version: str
    status: str
    f1: float | None = None


@dataclass(frozen=True)
class Plan:
    """What a check decided. `action` is "train" (begin or go on), "deploy" or "nothing".

    `postponed`: there is enough new data, but not of the kind that a training needs.
    """

    action: str
    reason: str
    version: str = ""
    begins: bool = False
    labels: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    postponed: bool = False


def needed_changes(minimum: int, not_promoted: int) -> int:
    """Images asked for: doubled for every three versions in a row that were not promoted."""
    return minimum << _doublings(not_promoted)


def _doublings(not_promoted: int) -> int:
    return min(not_promoted // STALL_AFTER, MAXIMUM_DOUBLINGS)


def plan_training(
    progress: Progress,
    last: Attempt | None,
    counts: Counts,
    minimum_changes: int,
    minimum_f1: float,
) -> Plan:
    """Decide one check.

    An attempt that was cut off goes on; a version that a lowered gate would now let through is
    decided again without a training; else new data decides.
    """
    if last and last.status in UNDECIDED:
        return Plan("train", "the attempt was interrupted and goes on", last.version)
    if last and last.status == BELOW_GATE and last.f1 is not None and last.f1 >= minimum_f1:
        return Plan("train", f"the gate is now {minimum_f1:g}, which it reaches", last.version)
    needed = needed_changes(minimum_changes, progress.not_promoted)
    if progress.changes < needed:
        return Plan(
            "nothing",
            _too_few_changes(progress, needed),
        )
    labels, thin = trainable_labels(counts), thin_labels(counts)
    if len(labels) < 2:
        reason = _too_few_labels(labels, thin) + unused(progress)
        return Plan("nothing", reason, left_out=thin, postponed=True)
    return Plan(
        "train",
        f"{progress.changes} labelled images are new, relabelled or gone since the last attempt"
        + (f"; left out because they need more images: {', '.join(thin)}" if thin else ""),
        version=f"v{progress.attempts + 1}",
        begins=True,
        labels=labels,
        left_out=thin,
    )


def _too_few_changes(progress: Progress, needed: int) -> str:
    lowered = progress.changes >> _doublings(progress.not_promoted)
    images = (
        "1 labelled image was"
        if progress.changes == 1
        else (f"{progress.changes} labelled images were")
    )
    way_out = f"upload {needed - progress.changes} more"
    if lowered:
        way_out += f", or set Minimum-Untrained-Images to {lowered}"
    return (
        f"{images} added, relabelled or removed since the last attempt, {needed} are asked for"
        f"{unused(progress)}: {way_out}"
    )


def unused(progress: Progress) -> str:
    """What came and does not count, to be added to a sentence; "" if everything counts."""
    if not progress.unused:
        return ""
    newest = f"{progress.unused_image} ({progress.unused_why.rstrip('.')})"
    if progress.unused == 1:
        return f"; 1 more came and does not count: {newest}"
    return f"; {progress.unused} more came and do not count, the newest is {newest}"


def _too_few_labels(labels: Sequence[str], thin: Sequence[str]) -> str:
    missing = f"; too few independent images of {', '.join(thin)}" if thin else ""
    return (
        f"a training needs two labels with an image to train on and another to test with, there "
        f"are {len(labels)}{missing}: upload labelled images of them, or set Reviewers-Per-Image "
        "to 2, since an image that one reviewer labelled is never tested with"
    )
