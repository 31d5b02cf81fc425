"""Business rule: what was written as an event is published to SNS and EventBridge."""

import json
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from jsonschema import validate

from loupe.adapters.publisher import Publisher
from loupe.domain.events import make_event
from loupe.handlers import publish_events
from tests.adapters.world import START, World
from tools.event_page import schema


class Recorder:
    """Stands for a client: keeps what it was called with."""

    def __init__(self, answer: dict[str, Any] | None = None) -> None:
        self.calls: list[dict[str, Any]] = []
        self.answer = answer or {"FailedEntryCount": 0}

    def publish(self, **request: Any) -> dict[str, Any]:
        self.calls.append(request)
        return {}

    def put_events(self, **request: Any) -> dict[str, Any]:
        self.calls.append(request)
        return self.answer


@pytest.fixture
def sns() -> Recorder:
    return Recorder()


@pytest.fixture
def bus() -> Recorder:
    return Recorder()


@pytest.fixture(autouse=True)
def publishing(world: World, sns: Any, bus: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.use(publisher=Publisher(sns, bus, topic="arn:topic", bus="default", stack="loupe"))
    monkeypatch.setattr("loupe.handlers.publish_events.deps", lambda: world.deps)


def stream(world: World, *kinds: str) -> dict[str, Any]:
    """The table's stream after everything that is in it was written."""
    serialize = TypeSerializer().serialize
    items = [
        {k: v for k, v in item.items() if k != "detail"} | {"detail": json_numbers(item["detail"])}
        for item in world.events()
    ]
    return {
        "Records": [
            {
                "eventName": kind,
                "eventSource": "aws:dynamodb",
                "dynamodb": {
                    "SequenceNumber": str(number),
                    "NewImage": {k: serialize(v) for k, v in item.items()},
                },
            }
            for number, item in enumerate(items)
            for kind in kinds or ("INSERT",)
        ]
    }


def json_numbers(detail: dict[str, Any]) -> Any:
    """DynamoDB has no floats."""
    return {k: str(v) if isinstance(v, float) else v for k, v in detail.items()}


def told(world: World, **detail: Any) -> None:
    made = make_event(
        "ExampleRejected", "1", START, **{"image": "ü.png", "reason": "no image", **detail}
    )
    world.deps.table.write([], [made])


def test_an_event_is_published_with_attributes_to_filter_by(
    world: World, sns: Recorder, bus: Recorder
) -> None:
    told(world)

    publish_events.handler(stream(world), None)

    (message,) = sns.calls
    assert message["TopicArn"] == "arn:topic"
    assert message["MessageAttributes"]["type"]["StringValue"] == "ExampleRejected"
    assert message["MessageAttributes"]["stack"]["StringValue"] == "loupe"
    assert message["MessageStructure"] == "json"
    forms = json.loads(message["Message"])
    assert forms["email"] == "ü.png was not registered: no image."
    validate(json.loads(forms["default"]), schema("ExampleRejected"))
    (put,) = bus.calls[0]["Entries"]
    assert (put["Source"], put["DetailType"]) == ("loupe", "ExampleRejected")
    assert json.loads(put["Detail"]) == json.loads(forms["default"])
    assert json.loads(put["Detail"])["stack"] == "loupe"


@pytest.mark.parametrize("name", ["日本" * 80, "a\x01\x7f\nb", "ü"])
def test_a_subject_is_what_sns_takes(world: World, sns: Recorder, name: str) -> None:
    told(world, image=name)

    publish_events.handler(stream(world), None)

    subject = sns.calls[0]["Subject"]
    assert 0 < len(subject) < 100
    assert subject.isascii()
    assert subject.isprintable()


def test_only_new_items_are_published(world: World, sns: Recorder) -> None:
    told(world)

    publish_events.handler(stream(world, "MODIFY", "REMOVE"), None)

    assert sns.calls == []


def test_an_event_that_is_written_again_is_no_new_item(world: World) -> None:
    told(world)
    told(world)

    assert len(world.events()) == 1


def test_what_eventbridge_refuses_is_tried_again(world: World, bus: Recorder) -> None:
    bus.answer = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}
    told(world)
    told_too = make_event("ExampleRejected", "2", START, image="b", reason="x")
    world.deps.table.write([], [told_too])
    bus.answer = {"FailedEntryCount": 0}
    world.deps.publisher.publish({**vars(told_too)})
    bus.answer = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}

    with pytest.raises(RuntimeError, match="InternalFailure"):
        world.deps.publisher.publish({**vars(told_too)})
