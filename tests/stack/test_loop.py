"""The whole improvement loop on the deployed template, in the order in which it happens."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from PIL import Image

from tests.stack.conftest import ROOT, Stack, deployed, until
from tests.stack.pictures import digits, drawn, jpeg, png

pytestmark = pytest.mark.stack

LABELS = (0, 1, 4)
PER_LABEL = 8
HARD_NAMES = (
    "plain.png",
    "with space.png",
    "plus+sign.png",
    "100%25.png",
    "a (copy).png",
    "für Änne/日本.png",
    "quote'\"<b>.png",
)


@pytest.fixture(scope="module")
def stack(built: None) -> Iterator[Stack]:
    """Deployed right here and never stopped in between."""
    yield from deployed(ROOT / "build" / "test-loop")


@pytest.fixture(scope="module")
def trained(stack: Stack) -> Stack:
    """Given some labelled images and a first training."""
    stack.set(Minimum_F1_Score="0.5", Holdout_Percent="25")
    for digit in LABELS:
        for number, image in enumerate(digits()[digit][:PER_LABEL]):
            stack.put(f"images_labeled_by_folder/digit {digit}/{number}.png", image)
    stack.registered(len(LABELS) * PER_LABEL)
    outcome = stack.train()
    assert outcome.get("outcome") == "in_service", outcome
    return stack


def test_a_first_version_is_trained_gated_and_put_into_service(trained: Stack) -> None:
    service = trained.deps.versions.service()
    version = trained.deps.versions.get("v1")

    assert service.version == "v1"
    assert trained.models() == {"v1": "RUNNING"}
    assert version.training_images == 18
    assert version.holdout_images == 6


def test_images_get_records_whatever_they_are_called(trained: Stack) -> None:
    for name in HARD_NAMES:
        trained.put(f"images_for_detection/{name}", digits()[4][20])

    settled = trained.settled(HARD_NAMES)

    assert set(settled) == set(HARD_NAMES)
    assert {d.state for d in settled.values()} <= {"accepted", "review"}
    assert all(d.version == "v1" and d.labels for d in settled.values())


def test_what_is_no_usable_image_is_rejected_with_the_reason(trained: Stack) -> None:
    bad = {
        "text.png": b"this is no image",
        "empty.png": b"",
        "huge.png": digits()[0][0] + b"\0" * (16 * 2**20),
        "tiny.png": png(Image.new("RGB", (20, 20), "white")),
    }
    for name, body in bad.items():
        trained.put(f"images_for_detection/{name}", body)

    settled = trained.settled(list(bad))

    assert {d.state for d in settled.values()} == {"rejected"}
    assert "15 MB" in settled["huge.png"].reason
    assert "64" in settled["tiny.png"].reason
    assert all(d.reason for d in settled.values())


def test_an_image_that_is_removed_before_its_turn_is_read_or_rejected_never_lost(
    trained: Stack,
) -> None:
    trained.put("images_for_detection/gone.png", digits()[1][30])
    trained.delete("images_for_detection/gone.png")

    assert trained.settled(["gone.png"])["gone.png"].state in ("accepted", "review", "rejected")


def test_the_same_key_twice_gives_two_records(trained: Stack) -> None:
    for image in (digits()[0][40], digits()[1][40]):
        trained.put("images_for_detection/twice.png", image)

    def both() -> list[str] | None:
        found = [d for d in trained.detections() if d.image.name == "twice.png"]
        return [d.state for d in found] if len(found) == 2 else None

    assert len(until(both, seconds=60)) == 2


def test_unsure_images_are_reviewed_and_become_training_data(trained: Stack) -> None:
    names = [f"strange-{n}.png" for n in range(8)]
    for number, name in enumerate(names):
        trained.put(f"images_for_detection/{name}", drawn(number))
    trained.settled(names)
    reviews = [r for r in trained.open_reviews() if r.image.name in names]
    assert len(reviews) >= 6, "drawn shapes must not be taken for digits"

    before = len(list(trained.deps.dataset.labelled_images()))
    for review in reviews[1:]:
        assert trained.answer(review.id, "digit 1") == {"state": "closing"}
    assert trained.answer(reviews[0].id, "none of the above") == {"state": "closing"}

    settled = trained.settled([r.image.name for r in reviews], states=["answered"])
    trained.registered(before + len(reviews) - 1)
    answered = settled[reviews[1].image.name]
    assert (answered.labels[0].name, answered.labels[0].by) == ("digit 1", "person")
    assert settled[reviews[0].image.name].none_of_the_above
    sources = {e.key: (e.source, e.split) for e in trained.deps.dataset.labelled_images()}
    reviewed = [split for source, split in sources.values() if source == "reviewed"]
    assert len(reviewed) == len(reviews) - 1
    assert set(reviewed) == {"train"}, "one reviewer alone never decides about the holdout"


def test_a_label_that_was_not_offered_is_refused(trained: Stack) -> None:
    trained.put("images_for_detection/odd.png", drawn(99))
    review_id = trained.settled(["odd.png"])["odd.png"].review

    refused = trained.answer(review_id, "../x")

    assert "not one of the labels" in refused["error"]


def test_a_copy_of_a_known_picture_counts_once(trained: Stack) -> None:
    before = trained.deps.dataset.label_counts().by_label["digit 0"]
    known = len(list(trained.deps.dataset.labelled_images()))

    trained.put("images_labeled_by_folder/digit 0/again.jpg", jpeg(digits()[0][0]))
    trained.registered(known + 1)

    assert trained.deps.dataset.label_counts().by_label["digit 0"] == before


def test_two_checks_at_once_start_one_training_and_the_better_version_takes_over(
    trained: Stack,
) -> None:
    trained.set(Minimum_Untrained_Images="3", Minimum_F1_Improvement="-1.0")
    known = len(list(trained.deps.dataset.labelled_images()))
    for digit in LABELS:
        for number, image in enumerate(digits()[digit][50:54]):
            trained.put(f"images_labeled_by_folder/digit {digit}/more-{number}.png", image)
    trained.registered(known + 4 * len(LABELS))

    executions = [trained.start_training() for _ in range(2)]
    outcomes = [trained.finished(execution) for execution in executions]

    assert sorted(o.get("outcome", o.get("action", "")) for o in outcomes) == [
        "in_service",
        "nothing",
    ]
    assert trained.models() == {"v1": "STOPPED", "v2": "RUNNING"}
    assert trained.deps.versions.lease_holder() == ""


def test_without_new_data_nothing_is_trained(trained: Stack) -> None:
    assert trained.train()["action"] == "nothing"


def test_rollback_puts_an_earlier_version_back(trained: Stack) -> None:
    outcome = trained.train(deploy="v1")

    assert outcome["outcome"] == "in_service"
    assert trained.deps.versions.service().version == "v1"
    assert trained.models() == {"v1": "RUNNING", "v2": "STOPPED"}


def test_no_dead_letters_are_left(trained: Stack) -> None:
    sqs = trained.client("sqs")
    for url in sqs.list_queues()["QueueUrls"]:
        if "DeadLetters" in url:
            counted = sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
            )
            assert counted["Attributes"]["ApproximateNumberOfMessages"] == "0", url


# This is wrong


def sent(stack: Stack, body: dict[str, str], secret: str | None) -> tuple[int, dict[str, Any]]:
    """The status and JSON of a report to the console's route for applications, unsigned without a
    secret.
    """
    address = f"{stack.endpoint.console_url}/reports"
    text = json.dumps(body)
    request = AWSRequest("POST", address, data=text, headers={"Content-Type": "application/json"})
    if secret:
        key = Credentials(stack.endpoint.credentials.key_id, secret)
        SigV4Auth(key, "execute-api", stack.session.region_name).add_auth(request)
    asked = urllib.request.Request(address, text.encode(), dict(request.headers), method="POST")
    try:
        with urllib.request.urlopen(asked, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def accepted(stack: Stack) -> list[str]:
    """The ids of images that the model was sure of."""
    found = [d.image.id for d in stack.detections() if d.state == "accepted"]
    assert len(found) >= 2
    return found


def test_an_application_reports_an_accepted_answer_and_a_person_corrects_it(
    trained: Stack,
) -> None:
    image = accepted(trained)[0]

    secret = trained.endpoint.credentials.secret
    status, body = sent(trained, {"image": image, "by": "line 3"}, secret)

    assert (status, body) == (200, {"review": f"reported-{image}"})
    version = trained.deps.detections.existing(image).version
    known = len(list(trained.deps.dataset.labelled_images()))
    assert trained.answer(body["review"], "digit 1") == {"state": "closing"}
    trained.registered(known + 1)
    assert trained.deps.detections.existing(image).labels[0].name == "digit 1"
    assert trained.deps.versions.get(version).reports == 1
    entries = [entry for _, entry in trained.deps.dataset.entries(trained.outputs["BucketName"])]
    assert {e.label for e in entries if image[:12] in e.uri} == {"digit 1"}


@pytest.mark.parametrize("secret", [None, "of somebody else"])
def test_a_report_that_nobody_signed_is_refused(trained: Stack, secret: str | None) -> None:
    image = accepted(trained)[0]

    status, _ = sent(trained, {"image": image}, secret)

    assert status == 403
    assert trained.deps.detections.existing(image).state == "accepted"


def test_a_report_on_the_queue_sends_the_image_to_people(trained: Stack) -> None:
    image = accepted(trained)[0]

    trained.client("sqs").send_message(
        QueueUrl=trained.outputs["ReportQueueUrl"], MessageBody=json.dumps({"image": image})
    )

    until(lambda: trained.deps.detections.existing(image).state == "review" or None, 60)
    until(lambda: trained.events("ImageReported") or None, 60)
    event = trained.events("ImageReported")[0]
    assert "reports that the answer is wrong" in event["text"]
