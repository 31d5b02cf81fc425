"""Business rule: whatever fails leaves a line that says which image or review it was about."""

import importlib
import json
from io import StringIO
from typing import Any

import pytest

from loupe.handlers import dispatch_images, publish_events, record_review, register_image
from loupe.telemetry import logger
from tests.adapters.world import World, png, s3_event, sqs_event
from tests.template.reading import ROOT

CORRELATED = (
    "detect_labels",
    "request_review",
    "record_detection",
    "answer_review",
    "check_training",
    "build_dataset",
    "train_model",
    "set_model_state",
    "compare_models",
    "request_approval",
    "smoke_test",
    "promote_model",
    "close_training",
)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What the functions log."""
    output = StringIO()
    monkeypatch.setattr(logger.handlers[0], "stream", output)
    return output


def lines(log: StringIO, message: str = "") -> list[dict[str, Any]]:
    """The lines of the log, of those that begin with `message`."""
    found = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in found if str(line["message"]).startswith(message)]


def broken(*arguments: Any) -> Any:
    """Stands for anything that fails."""
    raise RuntimeError("no disk")


def test_a_record_that_fails_is_logged_with_its_image_and_the_others_are_not(
    world: World, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    monkeypatch.setattr("loupe.handlers.dispatch_images.deps", lambda: world.deps)
    good, bad = (world.put(f"images_for_detection/{n}.png", png(n)) for n in (1, 2))
    run = world.executions.run
    monkeypatch.setattr(
        world.executions,
        "run",
        lambda machine, name, payload: (broken if name == bad.id else run)(machine, name, payload),
    )

    result = dispatch_images.handler(sqs_event(s3_event(good), s3_event(bad)), None)

    assert result == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    (line,) = lines(log, "failed")
    assert (line["image"], line["key"], line["message_id"]) == (bad.id, bad.key, "1")
    assert line["exception_name"] == "RuntimeError"
    assert "no disk" in line["exception"]


def test_a_labelled_image_that_fails_is_logged(
    world: World, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    monkeypatch.setattr("loupe.handlers.register_image.deps", lambda: world.deps)
    monkeypatch.setattr("loupe.services.labelled_images.add", broken)
    image = world.put("images_labeled_by_folder/cat/1.png", png(1))

    register_image.handler(sqs_event(s3_event(image), {"source": "aws.other"}), None)

    (line,) = lines(log, "failed")
    assert line["key"] == image.key


def test_an_answer_that_fails_is_logged_with_its_review(
    world: World, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    monkeypatch.setattr("loupe.handlers.record_review.deps", lambda: world.deps)
    monkeypatch.setattr("loupe.services.review_answers.record_answers", broken)
    world.set(Labels="cat,dog")
    review = world.asked()
    output = world.answered(review, "cat")

    record_review.handler(sqs_event(s3_event(output), "{}"), None)

    (line,) = lines(log, "failed")
    assert line["review"] == review
    assert review.endswith(next(iter(world.deps.detections.newest())).image.id)


def test_an_event_that_cannot_be_published_is_logged_with_its_image(
    world: World, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    monkeypatch.setattr("loupe.handlers.publish_events.deps", broken)
    records = json.loads((ROOT / "events" / "publish_events.json").read_text())["Records"]
    other = {"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "2"}}

    publish_events.handler({"Records": [*records[:1], other]}, None)

    (line,) = lines(log, "failed")
    told = records[0]["dynamodb"]["NewImage"]
    assert (line["event_id"], line["event_type"]) == (told["id"]["S"], told["type"]["S"])
    assert line["image"] == told["about"]["S"]


def test_what_is_no_event_is_logged_with_its_message(
    world: World, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    monkeypatch.setattr("loupe.handlers.register_image.deps", lambda: world.deps)

    register_image.handler(sqs_event("nonsense", {"source": "aws.other"}), None)

    (line,) = lines(log, "failed")
    assert line["message_id"] == "0"


@pytest.mark.parametrize("module", CORRELATED)
def test_a_step_that_fails_is_logged_with_the_ids_of_its_payload(
    module: str, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    code = importlib.import_module(f"loupe.handlers.{module}")
    monkeypatch.setattr(code, "deps", broken)
    payload = json.loads((ROOT / "events" / f"{module}.json").read_text())

    with pytest.raises(RuntimeError):
        code.handler(payload, None)
    logger.info("afterwards")

    line, after = lines(log)
    assert (line["message"], line["step"]) == ("failed", module)
    assert "no disk" in line["exception"]
    ids = {name: payload[name] for name in ("review", "version", "execution") if name in payload}
    assert ids or "image" in payload
    assert ids.items() <= line.items()
    assert ("image" in line) == ("image" in payload)
    assert not ids.keys() & after.keys()


def test_a_labelled_image_names_the_review_that_it_comes_from(
    world: World, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    monkeypatch.setattr("loupe.handlers.register_image.deps", lambda: world.deps)
    image = world.put("images_labeled_by_folder/cat/1.png", png(1), **{"loupe-loop": "unsure-1"})

    register_image.handler(sqs_event(s3_event(image)), None)

    (line,) = lines(log, "registered")
    assert (line["review"], line["key"]) == ("unsure-1", image.key)
