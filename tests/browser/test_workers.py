"""Amazon A2I's tasks, worked by people in a real browser on the embedded stack."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from loupe.domain.keys import NONE_OF_THE_ABOVE
from tests.browser.conftest import WIDTH
from tests.stack.conftest import Stack, deploy, fresh, loupe, until
from tests.stack.pictures import digits, drawn

pytestmark = pytest.mark.stack

WORKTEAM = "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/testers"
Keep = Callable[[Page, str], None]
Opened = Callable[[str], Page]


@pytest.fixture(scope="module")
def a2i(built: None) -> Iterator[Stack]:
    """Given a stack whose unsure images go to two people by way of Amazon A2I."""
    for stack in fresh("workers"):
        deploy(stack, "HumanReview=a2i", f"WorkteamArn={WORKTEAM}")
        stack.set(Labels="zero,one", Reviewers_Per_Image="2", Minimum_F1_Score="0")
        yield stack


@pytest.fixture
def opened(a2i: Stack, browser: Browser) -> Iterator[Opened]:
    """Opens a worker's list of tasks. A page that fails anywhere fails the test."""
    faults: list[str] = []
    contexts = []

    def note(text: str) -> None:
        if "409" not in text:  # what comes too late is refused, and the page says so
            faults.append(text)

    def open_list(worker: str) -> Page:
        contexts.append(browser.new_context(viewport={"width": WIDTH, "height": 900}))
        page = contexts[-1].new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda m: note(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{a2i.endpoint.url}/_loupe/a2i")
        page.get_by_label("Your name").fill(worker)
        page.get_by_role("button", name="Show my tasks").click()
        return page

    yield open_list
    for context in contexts:
        context.close()
    assert faults == []


def ask(stack: Stack, name: str, body: bytes) -> None:
    stack.put(f"images_for_detection/{name}", body)
    stack.settled([name], states=["review"])
    until(lambda: any(r.loop for r in stack.open_reviews() if r.image.name == name) or None, 60)


def test_two_people_answer_disagree_and_the_operators_word_is_trained_on(
    a2i: Stack, opened: Opened, picture: Keep
) -> None:
    for digit, label in ((0, "zero"), (1, "one")):
        for number in range(5):
            key = f"images_labeled_by_folder/{label}/{number}.png"
            a2i.put(key, digits()[digit][40 + number])
    ask(a2i, "für Änne's 1.png", digits()[1][0])

    ann = opened("ann")
    ann.get_by_role("link", name="What does this image show?").click()
    image = ann.get_by_alt_text("The image to label")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.complete && image.naturalWidth") == 96
    picture(ann, "a2i-task")
    assert not Axe().run(ann).response["violations"]
    ann.get_by_label("one", exact=True).check()
    ann.get_by_role("button", name="Submit").click()
    expect(ann.get_by_text("There is nothing to do for ann.")).to_be_visible()

    bob = opened("bob")
    bob.get_by_role("link", name="What does this image show?").click()
    bob.get_by_label("zero", exact=True).check()
    bob.get_by_role("button", name="Submit").click()
    expect(bob.get_by_text("There is nothing to do for bob.")).to_be_visible()

    (review,) = until(lambda: list(a2i.deps.reviews.newest("conflict")) or None, seconds=60)
    assert {answer.label for answer in review.answers} == {"zero", "one"}
    done = loupe(a2i, "reviews", "decide", review.id, "one", "--by", "olga")
    assert done.returncode == 0, done.stderr
    a2i.registered(11)
    assert a2i.train()["status"] == "SUCCEEDED"
    (decided,) = [e for e in a2i.deps.dataset.labelled_images() if e.source == "cold start"]
    assert decided.label == "one"
    manifest = a2i.client("s3").list_objects_v2(
        Bucket=a2i.outputs["BucketName"], Prefix="manifests/"
    )["Contents"]
    bodies = [
        a2i.client("s3").get_object(Bucket=a2i.outputs["BucketName"], Key=m["Key"])["Body"].read()
        for m in manifest
    ]
    assert any(decided.key.rpartition("/")[2].encode() in body for body in bodies)


def test_more_than_ten_labels_are_a_plain_form_with_the_current_ones(
    a2i: Stack, opened: Opened, picture: Keep, tmp_path: Path
) -> None:
    labels = ["zero", "one", *(f"Label {n} & co" for n in range(12))]
    a2i.set(Labels=",".join(labels), Reviewers_Per_Image="1")
    ask(a2i, "many.png", drawn(5))

    page = opened("ann")
    page.get_by_role("link", name="What does this image show?").click()
    choice = page.get_by_label("The one label that fits best")
    expect(choice).to_be_visible()
    assert choice.locator("option").all_inner_texts()[1:] == [*labels, NONE_OF_THE_ABOVE]
    picture(page, "a2i-form")
    page.get_by_role("button", name="Submit").click()
    expect(choice).to_be_visible()  # nothing was chosen, so nothing was sent
    choice.select_option("Label 3 & co")
    page.get_by_role("button", name="Submit").click()

    found = a2i.settled(["many.png"], states=["answered"])["many.png"]
    assert found.labels[0].name == "Label 3 & co"


def test_an_answer_that_comes_too_late_is_said_to_be(a2i: Stack, opened: Opened) -> None:
    ask(a2i, "late.png", drawn(6))
    page = opened("ann")
    page.get_by_role("link", name="What does this image show?").click()
    page.get_by_label("The one label that fits best").select_option("one")
    (review,) = [r for r in a2i.open_reviews() if r.image.name == "late.png"]
    loupe(a2i, "reviews", "answer", review.id, "zero", "--reviewer", "bob")

    with page.expect_response("**/answers") as answered:
        page.get_by_role("button", name="Submit").click()
    assert answered.value.status == 409
    expect(page.get_by_role("alert")).to_contain_text("Completed")
