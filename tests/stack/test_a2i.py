"""HumanReview = a2i: human loops instead of Loupe's own reviews, from the same template."""

import json
import urllib.request
from typing import Any

import pytest

from tests.stack.conftest import Stack, deploy, until
from tests.stack.pictures import digits

pytestmark = pytest.mark.stack

WORKTEAM = "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/testers"


@pytest.fixture(scope="module")
def a2i(stack: Stack) -> Stack:
    """Given a stack that is switched over to Amazon A2I."""
    deploy(stack, "HumanReview=a2i", f"WorkteamArn={WORKTEAM}")
    stack.set(Labels="zero,one")
    return stack


def open_loops(stack: Stack) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{stack.endpoint.url}/_loupe/a2i/loops", timeout=10) as response:
        found = json.loads(response.read())
    return list(found["loops"] if isinstance(found, dict) else found)


def answer(stack: Stack, loop: str, label: str) -> None:
    request = urllib.request.Request(
        f"{stack.endpoint.url}/_loupe/a2i/loops/{loop}/answers",
        data=json.dumps({"worker": "w1", "answer": {"label": {"label": label}}}).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()


def test_an_image_becomes_a_human_loop_and_its_answer_a_labelled_image(a2i: Stack) -> None:
    names = ["a b.png", "ü+1.png"]
    for number, name in enumerate(names):
        a2i.put(f"images_for_detection/{name}", digits()[0][number])
    a2i.settled(names, states=["review"])

    loops = until(lambda: found if len(found := open_loops(a2i)) == 2 else None, seconds=60)
    for loop in loops:
        answer(a2i, loop.get("name") or loop["HumanLoopName"], "zero")

    settled = a2i.settled(names, states=["answered"])
    assert {d.labels[0].name for d in settled.values()} == {"zero"}
    a2i.registered(2)
    assert {e.label for e in a2i.deps.dataset.examples()} == {"zero"}
