"""When to train, and what to train on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loupe.domain.failures import Failure, blames_data, next_try
from loupe.domain.keys import timestamp
from loupe.domain.labelled_images import Counts, trainable_labels, underrepresented_labels
from loupe.domain.versions import Service, Version, VersionStatus

MAXIMUM_DOUBLINGS = 10
MOST_LABELS = 250
"""Labels of one dataset; a limit of Rekognition Custom Labels."""
STALL_AFTER = 3
"""Consecutive versions without a promotion that double the number of images needed."""


@dataclass(frozen=True)
class Progress:
    """The changes since the last attempt, and the number of attempts.

    `not_promoted` counts consecutive versions that were not promoted. `unused` counts labelled
    images since the last attempt that give a training nothing new, such as copies of a picture;
    `unused_image` and `unused_why` are the newest of them and its reason.
    """

    attempts: int = 0
    changes: int = 0
    not_promoted: int = 0
    unused: int = 0
    unused_image: str = ""
    unused_why: str = ""


@dataclass(frozen=True)
class Plan:
    """The decision of a check. `action` is "train" (begin or continue), "deploy" or "nothing".

    `postponed`: there is enough new data, but too few labels have images to train and test with.
    `failures` are those of earlier attempts with the same data.
    """

    action: str
    reason: str
    version: str = ""
    begins: bool = False
    labels: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    postponed: bool = False
    failures: int = 0


@dataclass(frozen=True)
class Ending:
    """How an attempt ended: the version's status, why, and the rest as in `Version`."""

    status: VersionStatus
    reason: str
    retry_at: str = ""
    failures: int = 0


def words_of(reason: str, failure: Failure | None) -> str:
    """Why a run ended, with the error that it caught, if any."""
    return f"{reason} ({failure.words})" if failure else reason


def end_attempt(
    outcome: VersionStatus, reason: str, failure: Failure | None, failures: int, now: datetime
) -> Ending:
    """The ending of an attempt with `outcome`, after `failures` earlier failures.

    Business rule: a cause outside the data (permission, limit, capacity, fault) neither ends a paid
    training for good nor calls for new data. A training that the service itself ended is repeated;
    any other attempt continues where it was.
    """
    if outcome not in (VersionStatus.FAILED, VersionStatus.TRAINING_FAILED):
        return Ending(outcome, reason)
    words = words_of(reason, failure)
    if failure.is_final if failure else blames_data(reason):
        return Ending(outcome, words)
    retry_at = next_try(failures + 1, now)
    if retry_at is None:
        return Ending(outcome, f"{words}; given up after {failures + 1} tries")
    return Ending(
        VersionStatus.TRAINING if failure else outcome, words, timestamp(retry_at), failures + 1
    )


def next_step(version: str, ending: Ending, outcome: VersionStatus, rollback: bool) -> str:
    """What follows a run that put no version into service, as a sentence for the operator."""
    if ending.retry_at:
        return f"It is tried again after {ending.retry_at}, or at once with 'loupe train --again'."
    if rollback:
        return f"'loupe rollback {version}' tries it once more."
    if outcome == VersionStatus.TRAINING_FAILED:
        return "The next training starts when there are enough new labelled images."
    return "'loupe models' lists every version with its reason."


def plan_rollback(version: Version, service: Service) -> Plan:
    """The plan to put an earlier version back, if it can be."""
    if version.name == service.version:
        return Plan("nothing", f"{version.name} is in service already")
    if not version.arn or version.status in (VersionStatus.TRAINING, VersionStatus.TRAINING_FAILED):
        reason = f"{version.name} is {version.status} and cannot be put into service"
        return Plan("nothing", reason)
    return Plan("deploy", "an operator asked for it", version.name)


def needed_changes(minimum: int, not_promoted: int) -> int:
    """Images needed: doubled for every three consecutive versions that were not promoted."""
    return minimum << _doublings(not_promoted)


def _doublings(not_promoted: int) -> int:
    return min(not_promoted // STALL_AFTER, MAXIMUM_DOUBLINGS)


def plan_training(
    progress: Progress,
    last: Version | None,
    counts: Counts,
    minimum_changes: int,
    minimum_f1: float,
    now: str,
    again: bool = False,
) -> Plan:
    """Decide one check, at the time `now`; `again`: an operator repeats a failed attempt at once.

    An unfinished attempt continues before a new one begins; a new one needs enough new data.
    """
    if last and (plan := _unfinished(last, progress, counts, minimum_f1, now, again)):
        return plan
    if again:
        return Plan("nothing", "no failed training is left to repeat")
    needed = needed_changes(minimum_changes, progress.not_promoted)
    if progress.changes < needed:
        return Plan("nothing", _too_few_changes(progress, needed))
    changes = "labelled images are new, relabelled or gone since the last attempt"
    return _begin(f"{progress.changes} {changes}", progress, counts)


def _unfinished(
    last: Version, progress: Progress, counts: Counts, minimum_f1: float, now: str, again: bool
) -> Plan | None:
    """The plan for the last attempt, or None when it is over.

    An interrupted attempt continues; one that failed for a cause outside its data is repeated after
    a pause; one whose F1 reaches a lowered gate is decided again without a training.
    """
    due = again or last.retry_at <= now
    pause = f"it is tried again after {last.retry_at}, or at once with 'loupe train --again'"
    match last.status:
        case VersionStatus.TRAINING | VersionStatus.WAITING_FOR_APPROVAL:
            if due:
                return Plan("train", "the attempt was interrupted and goes on", last.name)
            return Plan("nothing", f"{last.name} was interrupted: {pause}")
        case VersionStatus.FAILED if again:
            return Plan("train", "an operator asks for another try", last.name)
        case VersionStatus.TRAINING_FAILED if due and (again or last.retry_at):
            reason = f"the training of {last.name} failed and is repeated with the same data"
            return _begin(reason, progress, counts, last.failures)
        case VersionStatus.BELOW_GATE if last.f1 is not None and last.f1 >= minimum_f1:
            return Plan("train", f"the gate is now {minimum_f1:g}, which it reaches", last.name)
    return None


def _begin(reason: str, progress: Progress, counts: Counts, failures: int = 0) -> Plan:
    """A new attempt with all usable images, if they are enough for a training."""
    trainable, too_few = trainable_labels(counts), underrepresented_labels(counts)
    if len(trainable) < 2:
        reason = _too_few_labels(trainable, too_few) + unused(progress)
        return Plan("nothing", reason, left_out=too_few, postponed=True)
    labels = most_frequent(trainable, counts)
    surplus = sorted(set(trainable) - set(labels))
    if too_few:
        reason += f"; left out because they need more images: {', '.join(too_few)}"
    if surplus:
        reason += f"; left out because a model has at most {MOST_LABELS}: {', '.join(surplus)}"
    return Plan(
        "train",
        reason,
        version=f"v{progress.attempts + 1}",
        begins=True,
        labels=labels,
        left_out=(*too_few, *surplus),
        failures=failures,
    )


def most_frequent(labels: Sequence[str], counts: Counts) -> tuple[str, ...]:
    """The labels with the most images, up to the number of one model, sorted by name."""
    ranked = sorted(labels, key=lambda name: (-counts[name].train - counts[name].test, name))
    return tuple(sorted(ranked[:MOST_LABELS]))


def _too_few_changes(progress: Progress, needed: int) -> str:
    lowered = progress.changes >> _doublings(progress.not_promoted)
    images = "image was" if progress.changes == 1 else "images were"
    way_out = f"upload {needed - progress.changes} more"
    if lowered:
        way_out += f", or set Minimum-Untrained-Images to {lowered}"
    return (
        f"{progress.changes} labelled {images} added, relabelled or removed since the last "
        f"attempt, {needed} are needed{unused(progress)}: {way_out}"
    )


def unused(progress: Progress) -> str:
    """A clause about the images that do not count, to end a sentence; "" if all count."""
    if not progress.unused:
        return ""
    newest = f"{progress.unused_image} ({progress.unused_why.rstrip('.')})"
    if progress.unused == 1:
        return f"; 1 more came and does not count: {newest}"
    return f"; {progress.unused} more came and do not count, the newest is {newest}"


def _too_few_labels(labels: Sequence[str], too_few: Sequence[str]) -> str:
    missing = f"; too few independent images of {', '.join(too_few)}" if too_few else ""
    return (
        f"a training needs two labels with an image to train on and another to test with, there "
        f"are {len(labels)}{missing}: upload labelled images of them, or set Reviewers-Per-Image "
        "to 2, since an image that one reviewer labelled is never used for testing"
    )
