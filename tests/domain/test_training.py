"""Business rule: train when there is enough that is new, and never pay twice for the same."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from loupe.domain.failures import MOST_FAILURES, Failure, final_errors
from loupe.domain.keys import timestamp
from loupe.domain.labelled_images import LabelCount
from loupe.domain.training import (
    MOST_LABELS,
    Ending,
    Plan,
    Progress,
    end_attempt,
    most_frequent,
    needed_changes,
    next_step,
    plan_rollback,
    plan_training,
    words_of,
)
from loupe.domain.versions import Service, Version, VersionStatus

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOW, LATER = "2026-01-01T12:00:00.000Z", "2026-01-01T13:00:00.000Z"
ENOUGH = {"cat": LabelCount(4, 1, 5), "dog": LabelCount(4, 1, 5)}


def attempt(name: str, status: VersionStatus, f1: float | None = None, **more: Any) -> Version:
    return Version(name, status, NOW, ("cat", "dog"), f1=f1, **more)


def plan(
    progress: Progress,
    last: Version | None = None,
    counts: dict[str, LabelCount] = ENOUGH,
    minimum: int = 10,
    gate: float = 0.8,
    again: bool = False,
) -> Plan:
    return plan_training(progress, last, counts, minimum, gate, NOW, again)


def test_fewer_changes_than_the_minimum_train_nothing_and_say_how_many_are_asked_for() -> None:
    found = plan(Progress(changes=9))

    assert found.action == "nothing"
    assert "9 labelled images" in found.reason
    assert "10 are needed" in found.reason


def test_what_does_not_count_is_named_with_the_reason_and_the_way_out() -> None:
    found = plan(
        Progress(changes=9, unused=1, unused_image="b/2.png", unused_why="It is b/1.png again.")
    )

    assert "1 more came and does not count: b/2.png (It is b/1.png again)" in found.reason
    assert "upload 1 more, or set Minimum-Untrained-Images to 9" in found.reason
    assert "3 more came" in plan(Progress(changes=7, unused=3)).reason


@given(changes=st.integers(0, 200), not_promoted=st.integers(0, 20), minimum=st.integers(1, 50))
def test_the_minimum_that_is_advised_is_one_that_trains(
    changes: int, not_promoted: int, minimum: int
) -> None:
    found = plan(Progress(changes=changes, not_promoted=not_promoted), minimum=minimum)

    advised = re.search(r"Minimum-Untrained-Images to (\d+)", found.reason)
    if found.action == "nothing" and advised:
        lowered = int(advised[1])
        assert lowered >= 1
        after = plan(Progress(changes=changes, not_promoted=not_promoted), minimum=lowered)
        assert after.action == "train"


def test_the_minimum_itself_trains_the_next_version_on_all_trainable_labels() -> None:
    found = plan(Progress(attempts=2, changes=10), attempt("v2", VersionStatus.IN_SERVICE, 0.9))

    assert found == Plan(
        "train", found.reason, version="v3", begins=True, labels=("cat", "dog"), left_out=()
    )


def test_labels_with_too_few_images_are_left_out_and_named() -> None:
    found = plan(Progress(changes=20), counts=ENOUGH | {"emu": LabelCount(1, 0, 1)})

    assert found.labels == ("cat", "dog")
    assert found.left_out == ("emu",)
    assert "emu" in found.reason


def test_fewer_than_two_trainable_labels_train_nothing_and_say_what_is_missing() -> None:
    found = plan(
        Progress(changes=20), counts={"cat": LabelCount(4, 1, 5), "dog": LabelCount(9, 0, 0)}
    )

    assert found.action == "nothing"
    assert not found.begins
    assert found.left_out == ("dog",)
    assert "two labels" in found.reason
    assert "dog" in found.reason


def test_an_interrupted_attempt_goes_on_without_new_data() -> None:
    for status in (VersionStatus.TRAINING, VersionStatus.WAITING_FOR_APPROVAL):
        found = plan(Progress(attempts=1), attempt("v1", status))

        assert (found.action, found.version, found.begins) == ("train", "v1", False)


def test_an_interrupted_attempt_waits_for_its_pause_unless_an_operator_asks() -> None:
    interrupted = attempt("v1", VersionStatus.TRAINING, retry_at=LATER, failures=1)

    assert plan(Progress(attempts=1), interrupted).action == "nothing"
    assert LATER in plan(Progress(attempts=1), interrupted).reason
    assert plan(Progress(attempts=1), interrupted, again=True).version == "v1"
    assert plan(Progress(attempts=1), replace(interrupted, retry_at=NOW)).version == "v1"


def test_a_training_that_failed_for_an_outside_cause_is_repeated_after_its_pause() -> None:
    failed = attempt("v1", VersionStatus.TRAINING_FAILED, retry_at=LATER, failures=2)

    assert plan(Progress(attempts=1), failed).action == "nothing"
    for found in (
        plan(Progress(attempts=1), replace(failed, retry_at=NOW)),
        plan(Progress(attempts=1), failed, again=True),
    ):
        assert (found.action, found.version, found.begins) == ("train", "v2", True)
        assert found.failures == 2


def test_enough_new_images_do_not_wait_for_the_pause_of_a_failed_training() -> None:
    failed = attempt("v1", VersionStatus.TRAINING_FAILED, retry_at=LATER, failures=2)

    assert plan(Progress(attempts=1, changes=10), failed).failures == 0


def test_an_operator_can_repeat_a_training_that_failed_for_its_data_but_nothing_else() -> None:
    progress = Progress(attempts=1)

    assert plan(progress, attempt("v1", VersionStatus.TRAINING_FAILED), again=True).version == "v2"
    assert plan(progress, attempt("v1", VersionStatus.FAILED), again=True).version == "v1"
    for status in (VersionStatus.NOT_BETTER, VersionStatus.BELOW_GATE, VersionStatus.IN_SERVICE):
        found = plan(Progress(attempts=1, changes=99), attempt("v1", status, 0.1), again=True)
        assert found.action == "nothing"


def test_a_model_takes_the_labels_with_the_most_images_and_names_the_rest() -> None:
    counts = {f"label {n:03}": LabelCount(4, 1 + n, 5) for n in range(MOST_LABELS + 2)}

    found = plan(Progress(changes=10), counts=counts)

    assert len(found.labels) == MOST_LABELS
    assert found.left_out == ("label 000", "label 001")
    assert "label 000" in found.reason


@given(
    st.sampled_from(
        (
            VersionStatus.BELOW_GATE,
            VersionStatus.NOT_BETTER,
            VersionStatus.REJECTED,
            VersionStatus.IN_SERVICE,
        )
    ),
    st.integers(0, 99),
)
def test_what_was_decided_is_no_failure(outcome: VersionStatus, failures: int) -> None:
    ending = end_attempt(outcome, "why", None, failures, START)

    assert ending == Ending(outcome, "why")


@given(
    st.text(),
    st.integers(0, MOST_FAILURES - 2),
    st.sampled_from((VersionStatus.FAILED, VersionStatus.TRAINING_FAILED)),
)
def test_a_passing_error_never_gives_a_training_up(
    name: str, failures: int, outcome: VersionStatus
) -> None:
    assume(name not in final_errors())

    ending = end_attempt(outcome, "why", Failure(name, ""), failures, START)

    assert (ending.status, ending.failures) == (VersionStatus.TRAINING, failures + 1)
    assert ending.retry_at > timestamp(START)


def test_a_final_error_ends_the_attempt_and_one_of_rights_does_not() -> None:
    refused = Failure("ServiceRefused", "bad request")
    denied = Failure("NotPermitted", "no access")

    assert (
        end_attempt(VersionStatus.TRAINING_FAILED, "why", refused, 0, START).status
        == VersionStatus.TRAINING_FAILED
    )
    assert (
        end_attempt(VersionStatus.TRAINING_FAILED, "why", denied, 0, START).status
        == VersionStatus.TRAINING
    )


def test_after_many_failures_an_attempt_is_given_up() -> None:
    ending = end_attempt(
        VersionStatus.FAILED, "why", Failure("Timeout", ""), MOST_FAILURES - 1, START
    )

    assert (ending.status, ending.retry_at) == (VersionStatus.FAILED, "")
    assert "given up after 8 tries" in ending.reason


def test_data_that_failed_the_gate_is_not_trained_on_again() -> None:
    found = plan(Progress(attempts=1, changes=0), attempt("v1", VersionStatus.BELOW_GATE, 0.5))

    assert found.action == "nothing"


def test_a_lowered_gate_decides_a_failed_version_again_without_training() -> None:
    found = plan(Progress(attempts=1), attempt("v1", VersionStatus.BELOW_GATE, 0.5), gate=0.5)

    assert (found.action, found.version, found.begins) == ("train", "v1", False)


def test_a_lowered_gate_does_not_decide_again_what_did_not_fail_at_it() -> None:
    for status in (
        VersionStatus.NOT_BETTER,
        VersionStatus.FAILED,
        VersionStatus.TRAINING_FAILED,
        VersionStatus.IN_SERVICE,
    ):
        found = plan(Progress(attempts=1), attempt("v1", status, 0.9), gate=0.1)

        assert found.action == "nothing"


def test_every_three_versions_in_a_row_that_were_not_promoted_double_what_is_asked_for() -> None:
    asked = [needed_changes(10, in_a_row) for in_a_row in range(8)]

    assert asked == [10, 10, 10, 20, 20, 20, 40, 40]


def test_after_three_failures_the_minimum_alone_is_not_enough() -> None:
    assert (
        plan(Progress(3, 19, not_promoted=3), attempt("v3", VersionStatus.NOT_BETTER)).action
        == "nothing"
    )
    assert (
        plan(Progress(3, 20, not_promoted=3), attempt("v3", VersionStatus.NOT_BETTER)).action
        == "train"
    )


def test_doubling_has_an_end() -> None:
    assert needed_changes(10, 3000) == 10 * 2**10


def test_the_reason_to_train_counts_the_new_images() -> None:
    assert plan(Progress(changes=12)).reason == (
        "12 labelled images are new, relabelled or gone since the last attempt"
    )


def test_one_image_is_singular_and_an_unreachable_minimum_is_not_advised() -> None:
    one, none = plan(Progress(changes=1)).reason, plan(Progress(changes=0)).reason

    assert one.startswith("1 labelled image was added, relabelled or removed")
    assert one.endswith("upload 9 more, or set Minimum-Untrained-Images to 1")
    assert none.startswith("0 labelled images were added")
    assert none.endswith("10 are needed: upload 10 more")


def test_the_newest_of_several_images_that_do_not_count_is_named() -> None:
    several = Progress(changes=7, unused=3, unused_image="b/2.png", unused_why="It is a copy.")

    assert "; 3 more came and do not count, the newest is b/2.png (It is a copy):" in (
        plan(several).reason
    )


def test_too_few_labels_postpone_a_training_and_name_the_ways_out() -> None:
    few = plan(Progress(changes=20, unused=1, unused_image="b/2.png"), counts={})

    assert few.postponed
    assert few.reason.startswith("a training needs two labels with an image to train on and")
    assert "there are 0: upload labelled images of them, or set Reviewers-Per-Image to 2" in (
        few.reason
    )
    assert "1 more came and does not count: b/2.png" in few.reason
    one = plan(Progress(changes=20), counts={"cat": LabelCount(1, 1), "dog": LabelCount(1, 0)})
    assert "there are 1; too few independent images of dog: upload" in one.reason


def test_of_labels_with_as_many_images_those_first_by_name_are_trained() -> None:
    counts = {f"label {n:03}": LabelCount(2, 1) for n in range(MOST_LABELS)}
    counts |= {"z": LabelCount(2, 2), "a": LabelCount(1, 1)}

    labels = most_frequent(sorted(counts), counts)

    assert labels == (*sorted(counts)[1:MOST_LABELS], "z")


def test_what_is_continued_says_why() -> None:
    begun = Progress(attempts=1)
    reasons = {
        "the attempt was interrupted and goes on": attempt("v1", VersionStatus.TRAINING),
        "the gate is now 0.8, which it reaches": attempt("v1", VersionStatus.BELOW_GATE, 0.8),
        "the training of v1 failed and is repeated with the same data": attempt(
            "v1", VersionStatus.TRAINING_FAILED, retry_at=NOW
        ),
    }

    assert {plan(begun, last).reason: last for last in reasons.values()} == reasons
    asked = plan(begun, attempt("v1", VersionStatus.FAILED), again=True)
    assert asked == Plan("train", "an operator asks for another try", "v1")
    waits = plan(begun, attempt("v1", VersionStatus.TRAINING, retry_at=LATER))
    assert waits.reason == (
        f"v1 was interrupted: it is tried again after {LATER}, or at once with "
        "'loupe train --again'"
    )
    none = plan(begun, attempt("v1", VersionStatus.NOT_BETTER), again=True)
    assert none.reason == "no failed training is left to repeat"


def version(name: str, status: VersionStatus, arn: str = "arn") -> Version:
    return Version(name, status, NOW, ("cat", "dog"), arn)


def test_an_earlier_version_that_was_trained_is_put_back() -> None:
    service = Service("v3", "arn:v3")

    assert plan_rollback(version("v1", VersionStatus.REPLACED), service) == Plan(
        "deploy", "an operator asked for it", "v1"
    )
    serves = plan_rollback(version("v3", VersionStatus.IN_SERVICE), service)
    assert serves == Plan("nothing", "v3 is in service already")
    for status, arn in (
        (VersionStatus.TRAINING, "arn"),
        (VersionStatus.TRAINING_FAILED, "arn"),
        (VersionStatus.IMPORTED, ""),
    ):
        refused = plan_rollback(version("v2", status, arn), service)
        assert refused == Plan("nothing", f"v2 is {status} and cannot be put into service")


def test_an_operator_reads_what_follows_a_run_that_promoted_nothing() -> None:
    ending = Ending(VersionStatus.FAILED, "why")
    repeated = replace(ending, retry_at=LATER)

    assert next_step("v2", repeated, VersionStatus.FAILED, False) == (
        f"It is tried again after {LATER}, or at once with 'loupe train --again'."
    )
    assert next_step("v2", ending, VersionStatus.FAILED, True) == (
        "'loupe rollback v2' tries it once more."
    )
    assert next_step("v2", ending, VersionStatus.TRAINING_FAILED, False) == (
        "The next training starts when there are enough new labelled images."
    )
    assert next_step("v2", ending, VersionStatus.NOT_BETTER, False) == (
        "'loupe models' lists every version with its reason."
    )


def test_the_error_that_ended_a_run_is_part_of_the_reason() -> None:
    assert words_of("it ended", Failure("Timeout", "too slow")) == "it ended (Timeout: too slow)"
    assert words_of("it ended", None) == "it ended"


def test_a_training_that_the_service_ended_is_repeated_unless_its_data_is_the_cause() -> None:
    failed = VersionStatus.TRAINING_FAILED

    outside = end_attempt(failed, "internal fault", None, 0, START)
    data = end_attempt(failed, "the manifest is empty", None, 0, START)

    assert outside == Ending(failed, "internal fault", "2026-01-01T12:15:00.000Z", 1)
    assert data == Ending(failed, "the manifest is empty")
