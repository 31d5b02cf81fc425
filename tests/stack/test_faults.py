"""When Rekognition throttles, fails, hangs or is stopped: no image fails, no training is lost, and
nothing runs that did not run before. All of it in an account with ten concurrent executions.
"""

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from loupe.adapters.executions import ExecutionFailed
from loupe.domain.detection import DetectionState
from loupe.domain.keys import ImageRef
from tests.stack.conftest import Stack, fresh, until
from tests.stack.pictures import digits

pytestmark = pytest.mark.stack

LABELS = (0, 1)
DETECT = "DetectCustomLabels"


@pytest.fixture(scope="module")
def stack(built: None) -> Iterator[Stack]:
    """A stack whose state machines wait a tenth of the time, in a small account."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SFN_WAIT_SCALE", "0.1")
        patch.setenv("LAMBDA_ACCOUNT_CONCURRENCY", "10")
        yield from fresh("faults")


@pytest.fixture(scope="module")
def trained(stack: Stack) -> Stack:
    """Given a version in service."""
    stack.set(Minimum_F1_Score="0.0", Minimum_Untrained_Images="4")
    label(stack, range(6))
    assert stack.train()["outcome"] == "in_service"
    return stack


@pytest.fixture(autouse=True)
def whole(stack: Stack) -> Iterator[None]:
    """Each test ends without faults."""
    yield
    break_(stack)


def break_(stack: Stack, **faults: Any) -> None:
    """Tell the local Rekognition what to get wrong; nothing without arguments."""
    file = stack.home / "faults.json"
    if not faults:
        file.unlink(missing_ok=True)
        return
    file.write_text(json.dumps(faults))


def label(stack: Stack, numbers: range) -> None:
    known = len(list(stack.deps.dataset.labelled_images()))
    for digit in LABELS:
        for number in numbers:
            stack.put(f"images_labeled_by_folder/{digit}/{number}.png", digits()[digit][number])
    stack.registered(known + len(LABELS) * len(numbers))


def upload(stack: Stack, prefix: str, count: int) -> list[str]:
    names = [f"{prefix}-{number}.png" for number in range(count)]
    for number, name in enumerate(names):
        stack.put(f"images_for_detection/{name}", digits()[number % 2][60 + number])
    return names


def kept_going(stack: Stack, names: list[str]) -> set[DetectionState]:
    """The states of the images once each is read, with the housekeeping of every minute."""
    throttled = stack.client("lambda").exceptions.TooManyRequestsException

    def look() -> set[DetectionState] | None:
        found = [d for d in stack.detections() if d.image.name in names]
        states = {d.state for d in found}
        if len(found) == len(names) and "waiting" not in states:
            return states
        with contextlib.suppress(throttled):  # Ten images at work leave no room for it.
            stack.invoke("ManagePowerFunction", {})
        return None

    return until(look, seconds=240)


def stop_model(stack: Stack) -> None:
    service = stack.deps.versions.service()
    stack.deps.rekognition.stop(service.arn)
    until(lambda: stack.models()[service.version] == "STOPPED" or None, seconds=30)


def machine(stack: Stack, name: str) -> str:
    found = stack.client("cloudformation").describe_stack_resource(
        StackName="loupe-test", LogicalResourceId=name
    )
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def test_a_stopped_model_is_started_for_what_waits_and_every_image_is_read(trained: Stack) -> None:
    stop_model(trained)

    states = kept_going(trained, upload(trained, "stopped", 12))

    assert states <= {"accepted", "review"}
    assert set(trained.models().values()) == {"RUNNING"}


def test_throttled_images_wait_and_are_read(trained: Stack) -> None:
    break_(trained, **{DETECT: {"per_second": 2}})

    states = kept_going(trained, upload(trained, "throttled", 12))

    assert states <= {"accepted", "review"}


@pytest.mark.parametrize("error", ["InternalServerError", "AnErrorThatNobodyKnowsYet"])
def test_when_every_third_call_fails_no_image_does(trained: Stack, error: str) -> None:
    break_(trained, **{DETECT: {"every": 3, "error": error}})

    states = kept_going(trained, upload(trained, error, 9))

    assert states <= {"accepted", "review"}


def test_a_call_that_hangs_is_given_up_by_the_client_and_tried_again(trained: Stack) -> None:
    break_(trained, **{DETECT: {"hang": True}})
    names = upload(trained, "hanging", 1)
    until(lambda: trained.detections() or None, seconds=30)
    time.sleep(17)  # Longer than the client waits for an answer.

    break_(trained)

    assert kept_going(trained, names) <= {"accepted", "review"}


def test_a_slow_answer_is_an_answer(trained: Stack) -> None:
    break_(trained, **{DETECT: {"delay_seconds": 3}})

    assert kept_going(trained, upload(trained, "slow", 2)) <= {"accepted", "review"}


def test_what_rekognition_refuses_for_good_fails_with_its_words(trained: Stack) -> None:
    refusal = {"error": "InvalidParameterException", "message": "this cannot be read"}
    break_(trained, **{DETECT: refusal})
    (name,) = upload(trained, "refused", 1)

    detection = trained.settled([name])[name]

    assert detection.state == "failed"
    assert "InvalidParameterException: this cannot be read" in detection.reason
    assert "errorMessage" not in detection.reason


def test_an_error_that_the_machine_does_not_know_goes_back_to_the_queue(trained: Stack) -> None:
    (name,) = upload(trained, "denied", 1)
    image = trained.settled([name])[name].image
    break_(trained, **{DETECT: {"error": "AccessDeniedException"}})
    again = ImageRef(**vars(image) | {"etag": "another"})

    with pytest.raises(ExecutionFailed, match="NotPermitted"):
        trained.executions.run(machine(trained, "DetectMachine"), again.id, {"image": vars(again)})


def test_a_training_survives_passing_faults_at_every_step(trained: Stack) -> None:
    trained.set(Minimum_F1_Improvement="-1.0")
    label(trained, range(10, 14))
    break_(
        trained,
        CreateProjectVersion={"error": "LimitExceededException", "times": 4},
        DescribeProjectVersions={"error": "ThrottlingException", "every": 3},
        DescribeProjects={"error": "InternalServerError", "times": 4},
        StartProjectVersion={"error": "InternalServerError", "times": 4},
        StopProjectVersion={"error": "ThrottlingException", "times": 4},
        DetectCustomLabels={"error": "ProvisionedThroughputExceededException", "every": 4},
    )

    outcome = trained.train()

    assert outcome["outcome"] == "in_service", outcome
    assert trained.models() == {"v1": "STOPPED", "v2": "RUNNING"}


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("CreateProjectVersion", "could not be followed"),
        ("StartProjectVersion", "could not be started"),
        (DETECT, "could not be compared"),
    ],
)
def test_a_run_that_an_outside_cause_ended_goes_on_without_another_training(
    trained: Stack, operation: str, words: str
) -> None:
    before = trained.models()
    label(trained, range(20, 24) if operation == "CreateProjectVersion" else range(0))
    break_(trained, **{operation: {"error": "AccessDeniedException", "message": "no right"}})
    new = {"again": True} if operation != "CreateProjectVersion" else {}

    failed = trained.train(**new)

    version = next(trained.deps.versions.newest())
    assert failed["status"] == "FAILED"
    assert words in version.reason
    assert "no right" in version.reason
    assert "{" not in version.reason
    assert (version.status, bool(version.retry_at)) == ("training", True)
    after = trained.models()
    assert {name for name, status in after.items() if status == "RUNNING"} == {
        name for name, status in before.items() if status == "RUNNING"
    }
    assert "interrupted" in trained.train()["reason"]


def test_an_interrupted_run_ends_as_if_nothing_had_been(trained: Stack) -> None:
    versions = len(trained.models())

    outcome = trained.train(again=True)

    assert outcome["outcome"] == "in_service", outcome
    assert len(trained.models()) == versions


def test_a_champion_that_was_started_to_be_compared_and_wins_is_stopped_again(
    trained: Stack,
) -> None:
    champion = trained.deps.versions.service().version
    trained.set(Minimum_F1_Improvement="1.0")
    stop_model(trained)
    label(trained, range(30, 34))

    outcome = trained.train()

    assert outcome["outcome"] == "not_better"
    assert trained.deps.versions.service().version == champion
    assert "RUNNING" not in trained.models().values()
    assert "STARTING" not in trained.models().values()


def test_nothing_runs_while_a_version_waits_for_approval(trained: Stack) -> None:
    trained.set(Minimum_F1_Improvement="-1.0", Enable_Automatic_Deployment="false")
    label(trained, range(40, 44))
    execution = trained.start_training()
    waiting = until(
        lambda: next(
            (v for v in trained.deps.versions.newest() if v.status == "waiting_for_approval"), None
        ),
        seconds=120,
    )

    assert set(trained.models().values()) <= {"STOPPED", "TRAINING_COMPLETED"}

    trained.executions.answer(waiting.approval_token, {"approved": False, "by": "ann"})
    assert trained.finished(execution)["outcome"] == "rejected"
    assert set(trained.models().values()) <= {"STOPPED", "TRAINING_COMPLETED"}
