"""HumanReview = a2i: human loops instead of Loupe's own reviews, from the same template."""

import json
import urllib.request
from typing import Any

import pytest

from loupe.domain.keys import NONE_OF_THE_ABOVE
from tests.stack.conftest import Stack, deploy, until
from tests.stack.pictures import digits, drawn

pytestmark = pytest.mark.stack

WORKTEAM = "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/testers"
A2I = ("HumanReview=a2i", f"WorkteamArn={WORKTEAM}")


@pytest.fixture(scope="module")
def a2i(stack: Stack) -> Stack:
    """Given a stack that asked by itself, with an open review, and is switched to Amazon A2I."""
    stack.set(Labels="zero,one")
    stack.put("images_for_detection/before.png", digits()[0][9])
    stack.settled(["before.png"], states=["review"])
    deploy(stack, *A2I)
    # What was open is asked for by the housekeeping, every minute; here at once.
    stack.invoke("ManagePowerFunction", {})
    return stack


def ask(stack: Stack, path: str, body: dict[str, Any] | None = None) -> Any:
    """What the workers' door of the embedded Amazon A2I answers."""
    data = json.dumps(body).encode() if body is not None else None
    address = f"{stack.endpoint.url}/_loupe/a2i/{path}"
    with urllib.request.urlopen(urllib.request.Request(address, data), timeout=10) as response:
        return json.loads(response.read())


def loop_of(stack: Stack, name: str) -> dict[str, Any]:
    """The open loop that asks about an image, waited for."""

    def found() -> dict[str, Any] | None:
        loops = ask(stack, "loops")["loops"]
        return next((loop for loop in loops if loop["input"]["imageName"] == name), None)

    return until(found, seconds=60)


def asked(stack: Stack, name: str, body: bytes) -> dict[str, Any]:
    """An uploaded image that people are asked about; its loop."""
    stack.put(f"images_for_detection/{name}", body)
    stack.settled([name], states=["review"])
    return loop_of(stack, name)


def answer(stack: Stack, loop: dict[str, Any], *labels: str) -> None:
    for number, label in enumerate(labels):
        body = {"worker": f"w{number}", "answer": {"label": {"label": label}}}
        ask(stack, f"loops/{loop['name']}/answers", body)


def test_what_was_open_before_the_switch_is_asked_by_amazon_a2i(a2i: Stack) -> None:
    answer(a2i, loop_of(a2i, "before.png"), "zero")

    assert a2i.settled(["before.png"], states=["answered"])


def test_an_image_becomes_a_human_loop_and_its_answer_a_labelled_image(a2i: Stack) -> None:
    names = ["a b.png", "ü+1.png"]
    for number, name in enumerate(names):
        answer(a2i, asked(a2i, name, digits()[0][number]), "zero")

    settled = a2i.settled(names, states=["answered"])
    assert {d.labels[0].name for d in settled.values()} == {"zero"}
    a2i.registered(3)
    assert {e.label for e in a2i.deps.dataset.labelled_images()} == {"zero"}


def test_a_loop_that_expires_is_followed_by_others_and_then_by_the_operator(a2i: Stack) -> None:
    first = asked(a2i, "slow.png", digits()[1][0])["name"]

    ask(a2i, f"loops/{first}/expire", {})
    second = until(lambda: renewed(a2i, "slow.png", first), seconds=60)
    ask(a2i, f"loops/{second}/expire", {})
    third = until(lambda: renewed(a2i, "slow.png", first, second), seconds=60)
    ask(a2i, f"loops/{third}/expire", {})

    assert (second, third) == (f"{first}-2", f"{first}-3")
    review = until(lambda: conflict(a2i, "slow.png"), seconds=60)
    assert [e["detail"]["review"] for e in a2i.events("ReviewFailed")] == [review] * 3


def renewed(stack: Stack, image: str, *before: str) -> str | None:
    name = str(loop_of(stack, image)["name"])
    return name if name not in before else None


def conflict(stack: Stack, image: str) -> str | None:
    found = stack.deps.reviews.newest("conflict")
    return next((review.id for review in found if review.image.name == image), None)


def test_a_loop_that_somebody_stops_is_for_the_operator(a2i: Stack) -> None:
    loop = asked(a2i, "stopped.png", digits()[1][1])

    a2i.client("sagemaker-a2i-runtime").stop_human_loop(HumanLoopName=loop["name"])

    until(lambda: conflict(a2i, "stopped.png"), seconds=60)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{not json", "not an answer"),
        ('{"humanLoopName": "x", "humanAnswers": []}', "no answers"),
    ],
)
def test_an_output_that_cannot_be_used_is_told_of_and_the_task_stays(
    a2i: Stack, text: str, reason: str
) -> None:
    name = f"unusable {len(reason)}.png"
    loop = asked(a2i, name, digits()[1][2 + len(reason) % 2])
    key = f"a2i-human-loop-data/elsewhere/{loop['name']}/output.json"

    a2i.put(key, text.encode())

    told = until(
        lambda: next((e for e in a2i.events("ReviewUnusable") if e["detail"]["key"] == key), None),
        seconds=60,
    )
    assert reason in told["text"]
    answer(a2i, loop_of(a2i, name), "one")
    a2i.settled([name], states=["answered"])


def test_a_label_that_is_none_is_written_nowhere_and_people_are_asked_again(a2i: Stack) -> None:
    loop = asked(a2i, "odd.png", digits()[1][5])

    answer(a2i, loop, "../x")

    again = until(lambda: renewed(a2i, "odd.png", loop["name"]), seconds=60)
    keys = a2i.client("s3").list_objects_v2(Bucket=a2i.outputs["BucketName"])["Contents"]
    assert not [k["Key"] for k in keys if "x/" in k["Key"] or k["Key"].startswith("..")]
    answer(a2i, {"name": again}, NONE_OF_THE_ABOVE)
    assert a2i.settled(["odd.png"], states=["answered"])["odd.png"].none_of_the_above


def test_answers_that_come_twice_or_for_an_image_that_is_gone_are_recorded_once(
    a2i: Stack,
) -> None:
    loop = asked(a2i, "gone.png", drawn(3))
    a2i.delete("images_for_detection/gone.png")
    version = a2i.deps.reviews.get(loop["name"]).image.version
    a2i.client("s3").delete_object(
        Bucket=a2i.outputs["BucketName"], Key="images_for_detection/gone.png", VersionId=version
    )

    answer(a2i, loop, "one")
    settled = a2i.settled(["gone.png"], states=["answered"])
    assert "deleted" in settled["gone.png"].reason
    found = a2i.client("sagemaker-a2i-runtime").describe_human_loop(HumanLoopName=loop["name"])
    key = found["HumanLoopOutput"]["OutputS3Uri"].split("/", 3)[3]
    text = a2i.client("s3").get_object(Bucket=a2i.outputs["BucketName"], Key=key)["Body"].read()
    before = len(a2i.events("ImageAnswered"))
    a2i.put(key, text)
    answer(a2i, asked(a2i, "after.png", digits()[0][7]), "zero")
    a2i.settled(["after.png"], states=["answered"])
    assert len(a2i.events("ImageAnswered")) == before + 1


def test_a_new_title_and_new_labels_show_on_new_tasks_and_old_tasks_stay(a2i: Stack) -> None:
    old = asked(a2i, "old.png", digits()[0][12])
    a2i.set(Labels="zero,one,two", Reviewers_Per_Image="2")

    deploy(a2i, *A2I, 'TaskTitle="Which digit is it?"')

    new = asked(a2i, "new.png", digits()[0][13])
    assert (old["title"], new["title"]) == ("What does this image show?", "Which digit is it?")
    assert "Which digit is it?" in new["template"]
    assert new["input"]["labels"] == ["zero", "one", "two", NONE_OF_THE_ABOVE]
    assert (old["taskCount"], new["taskCount"]) == (1, 2)
    (kept,) = [loop for loop in ask(a2i, "loops")["loops"] if loop["name"] == old["name"]]
    answer(a2i, kept, "zero")
    answer(a2i, new, "zero", "one")
    a2i.settled(["old.png"], states=["answered"])
    until(lambda: conflict(a2i, "new.png"), seconds=60)
