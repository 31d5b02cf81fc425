"""What an operator sees and sets: cold start, settings, gate, approval, sampling, crashes."""

import json
import os
import signal

import pytest

from loupe.errors import InvalidSetting
from loupe_cli.recovery import recover
from loupe_cli.target import Target
from loupe_local import stack as embedded
from tests.stack.conftest import NAME, Stack, deploy, loupe, until
from tests.stack.pictures import digits, drawn

pytestmark = pytest.mark.stack


def test_without_labels_images_wait_and_the_operator_is_asked(stack: Stack) -> None:
    for number in range(6):
        stack.put(f"images_for_detection/first-{number}.png", digits()[number % 2][number])

    def asked() -> bool | None:
        return bool(stack.events("LabelsNeeded")) or None

    until(asked, seconds=60)
    assert {d.state for d in stack.detections()} == {"waiting"}


def test_with_labels_they_go_to_review_and_make_the_first_dataset(stack: Stack) -> None:
    stack.set(Labels="zero,one", Minimum_F1_Score="0", Minimum_Untrained_Images="4")

    until(lambda: len(stack.open_reviews()) == 6 or None, seconds=120)
    for review in stack.open_reviews()[:5]:
        number = int(review.image.name.removesuffix(".png").rpartition("-")[2])
        stack.answer(review.id, "zero" if number % 2 == 0 else "one")
    stack.registered(5)

    examples = list(stack.deps.dataset.labelled_images())
    assert {e.source for e in examples} == {"cold start"}
    assert {e.split for e in examples} == {"train", "test"}


def test_approval_is_waited_for_with_the_model_stopped(stack: Stack) -> None:
    stack.set(Enable_Automatic_Deployment="false")

    execution = stack.start_training()
    until(lambda: bool(stack.events("ApprovalRequested")) or None, seconds=90)

    assert stack.deps.versions.service().version == ""
    assert stack.models() == {"v1": "STOPPED"}
    stack.executions.answer(
        stack.deps.versions.get("v1").approval_token, {"approved": True, "by": "test"}
    )
    assert stack.finished(execution)["outcome"] == "in_service"
    assert stack.models() == {"v1": "RUNNING"}


def test_the_first_model_reads_again_what_no_person_has_looked_at(stack: Stack) -> None:
    def read() -> bool | None:
        return all(d.state == "answered" or d.version for d in stack.detections()) or None

    until(read, seconds=120)


def test_a_version_below_the_gate_is_not_deployed_and_not_trained_again(stack: Stack) -> None:
    stack.set(Enable_Automatic_Deployment="true", Minimum_F1_Score="1.0", Holdout_Percent="50")
    known = len(list(stack.deps.dataset.labelled_images()))
    for number in range(24):
        # Fives under two labels at random: nothing can tell them apart.
        label = ("zero", "one")[number % 2]
        stack.put(f"images_labeled_by_folder/{label}/five-{number}.png", digits()[5][number])
    stack.registered(known + 24)

    outcome = stack.train()

    assert outcome["outcome"] == "below_gate", outcome
    assert stack.models()["v2"] in ("TRAINING_COMPLETED", "STOPPED")
    assert stack.deps.versions.service().version == "v1"
    assert stack.train()["action"] == "nothing"


def test_lowering_the_gate_decides_the_version_again_without_a_training(stack: Stack) -> None:
    stack.set(Minimum_F1_Score="0", Minimum_F1_Improvement="-1.0")

    outcome = stack.train()

    assert (outcome["version"], outcome["outcome"]) == ("v2", "in_service")


@pytest.mark.parametrize("value", ["abc", "1.5", "True", "NaN", "-1"])
def test_a_bad_value_is_refused_by_parameter_store(stack: Stack, value: str) -> None:
    with pytest.raises(InvalidSetting, match="ParameterPatternMismatch"):
        stack.set(Minimum_F1_Score=value)


def test_settings_change_schedules_without_deployment(stack: Stack) -> None:
    scheduler = stack.client("scheduler")

    def training() -> tuple[str, str]:
        found = scheduler.get_schedule(Name=f"{NAME}-training")
        return found["State"], found["ScheduleExpression"]

    stack.set(Enable_Automatic_Training="false")
    until(lambda: training()[0] == "DISABLED" or None, seconds=60)
    stack.set(Automatic_Training_Poll_Frequency="1")
    until(lambda: training() == ("DISABLED", "rate(1 minute)") or None, seconds=60)


def test_every_nth_detection_is_sampled_and_scores_the_version(stack: Stack) -> None:
    stack.set(Human_Sampling_Interval="3", Minimum_Label_Detection_Confidence="0")
    stack.invoke("SampleReviewsFunction", {})
    for number in range(9):
        stack.put(f"images_for_detection/sampled-{number}.png", digits()[0][60 + number])
    stack.settled([f"sampled-{n}.png" for n in range(9)], states=["accepted"])

    assert stack.invoke("SampleReviewsFunction", {}) == {"sampled": 3}
    samples = [r for r in stack.open_reviews() if r.purpose == "quality"]
    before = stack.deps.versions.get("v2").samples
    known = len(list(stack.deps.dataset.labelled_images()))
    for review in samples:
        assert not review.guess_shown
        stack.answer(review.id, "zero")

    until(
        lambda: stack.deps.versions.get("v2").samples == before + len(samples) or None, seconds=60
    )
    assert len(list(stack.deps.dataset.labelled_images())) == known, "samples are never trained on"


def test_review_off_records_unsure(stack: Stack) -> None:
    stack.set(Enable_A2I_Workflow="false", Minimum_Label_Detection_Confidence="100")
    stack.put("images_for_detection/unsure.png", drawn(7))

    assert stack.settled(["unsure.png"])["unsure.png"].state == "unsure"


def test_parameters_made_anew_without_their_pattern_fail_no_image(stack: Stack) -> None:
    stored = {"Minimum-Label-Detection-Confidence": "eighty", "Enable-A2I-Workflow": "false\n"}
    ssm = stack.client("ssm")
    for name, value in stored.items():
        ssm.delete_parameter(Name=f"/{NAME}/{name}")
        ssm.put_parameter(Name=f"/{NAME}/{name}", Value=value, Type="String")
    stack.put("images_for_detection/anew.png", drawn(8))

    assert stack.settled(["anew.png"])["anew.png"].state in ("accepted", "unsure")

    def told() -> bool | None:
        texts = " ".join(event["text"] for event in stack.events("SettingsApplied"))
        return all(f"{n} is {v!r} and counts as" in texts for n, v in stored.items()) or None

    until(told, seconds=60)
    stack.set(Enable_A2I_Workflow="false", Minimum_Label_Detection_Confidence="100")


def test_after_a_kill_every_upload_has_a_record(stack: Stack) -> None:
    names = [f"crash-{n}.png" for n in range(40)]
    for number, name in enumerate(names):
        stack.put(f"images_for_detection/{name}", digits()[0][100 + number])
    os.kill(stack.endpoint.pid, signal.SIGKILL)
    until(lambda: embedded.running(stack.home) is None or None, seconds=10)
    stack.forget()
    os.environ["AWS_ENDPOINT_URL"] = stack.endpoint.url
    target = Target(NAME)
    target.__dict__["session"] = stack.session

    recover(target)

    assert set(stack.settled(names)) == set(names)


def test_a_deployment_keeps_data_and_settings(stack: Stack) -> None:
    before = len(stack.detections())

    deploy(stack, "LogRetentionDays=7")

    assert len(stack.detections()) == before
    assert stack.deps.parameters.values()["Labels"] == "zero,one"
    assert stack.deps.versions.service().version == "v2"


def test_dead_letters_are_listed_and_put_back(stack: Stack) -> None:
    sqs = stack.client("sqs")
    queues = {url.rpartition("/")[2]: url for url in sqs.list_queues()["QueueUrls"]}
    dead = next(url for name, url in queues.items() if "-DetectionDeadLetters-" in name)
    stack.put("images_for_detection/dead.png", drawn(40))
    stack.settled(["dead.png"], states=["review", "waiting", "accepted", "unsure"])
    body = {"detail": {"object": {"key": "images_for_detection/dead.png"}}}
    sqs.send_message(QueueUrl=dead, MessageBody=json.dumps(body))

    listed = json.loads(loupe(stack, "replay", "--json").stdout)
    assert [(letter["queue"], letter["about"]) for letter in listed] == [
        ("DetectionDeadLetters", "images_for_detection/dead.png")
    ]

    done = loupe(stack, "replay", "--yes")
    assert done.returncode == 0, done.stderr
    assert "No dead letters" in loupe(stack, "replay", "--yes").stdout


def test_an_image_that_was_rejected_is_listed_and_read_again(stack: Stack) -> None:
    stack.put("images_for_detection/text.png", b"this is text")
    stack.settled(["text.png"], states=["rejected"])

    (listed,) = json.loads(loupe(stack, "replay", "--json").stdout)
    assert (listed["queue"], listed["about"], listed["times"]) == ("rejected", "text.png", 1)
    assert "1 were brought back" in loupe(stack, "replay", "--yes").stdout
    stack.settled(["text.png"], states=["rejected"])
    assert json.loads(loupe(stack, "replay", "--json").stdout)[0]["times"] == 2

    stack.delete("images_for_detection/text.png")
    assert "'text.png' was deleted from the bucket" in loupe(stack, "replay", "--yes").stderr
