"""Business rule: a consumer uploads images, sees what became of each, and has them read again."""

from datetime import timedelta
from typing import Any

import pytest

from loupe.console.access import Role
from loupe.domain.detection import DetectionState, Label, ModelOutput
from loupe.services.detection import record
from tests.adapters.world import BUCKET, START, World
from tests.console.console import Console, failed

CONSUMER = f"[{Role.CONSUMER}]"


def read(world: World, name: str, *labels: Label, day: int = 1) -> str:
    """Given an image that came on a day of January and was answered so; returns its id."""
    world.deps.now = START + timedelta(days=day - 1)
    image = world.received(name)
    output = ModelOutput("labels", labels, "v1")
    record(image.id, DetectionState.ACCEPTED, output, "", world.deps)
    return image.id


def names(console: Console, **query: str) -> list[str]:
    items = console.ok("GET", "/api/detections", query=query, groups=CONSUMER)["items"]
    return [item["image"] for item in items]


@pytest.fixture
def three(world: World) -> list[str]:
    """Given three images of three days; the newest is the least sure."""
    return [
        read(world, "one.png", Label("cat", 90.0), Label("dog", 10.0), day=1),
        read(world, "two.png", Label("dog", 80.0), day=2),
        read(world, "three.png", Label("cat", 70.0), day=3),
    ]


def test_files_are_posted_below_the_prefix_that_is_read(console: Console) -> None:
    files = [
        {"name": "cats/1.png", "size": 9, "type": "image/png"},
        {"name": "2.txt", "size": 9, "type": "text/plain"},
    ]

    post, none = console.ok("POST", "/api/uploads", {"files": files}, name="bob")["posts"]

    assert post["name"] == "cats/1.png"
    assert BUCKET in post["url"]
    assert post["fields"]["key"] == "images_for_detection/cats/1.png"
    assert post["fields"]["Content-Type"] == "image/png"
    assert "bob" in post["fields"]["x-amz-meta-loupe-by"]
    assert none["name"] == "2.txt"
    assert "not a PNG or JPEG" in none["error"]


def test_the_newest_image_comes_first_with_all_that_was_said_of_it(
    console: Console, world: World, three: list[str]
) -> None:
    page = console.ok("GET", "/api/detections", groups=CONSUMER)

    assert [item["id"] for item in page["items"]] == three[::-1]
    assert page["next"] is None
    oldest = page["items"][-1]
    version = world.s3.head_object(Bucket=BUCKET, Key="images_for_detection/one.png")["VersionId"]
    assert "images_for_detection/one.png" in oldest["picture"]
    assert f"versionId={version}" in oldest["picture"]
    assert oldest | {"picture": ""} == {
        "id": three[0],
        "image": "one.png",
        "state": "accepted",
        "labels": [
            {"name": "cat", "confidence": 90, "by": "model"},
            {"name": "dog", "confidence": 10, "by": "model"},
        ],
        "version": "v1",
        "at": "2026-01-01T12:00:01.000Z",
        "reason": "",
        "review": "",
        "picture": "",
    }


def test_an_object_in_an_image_has_its_box(console: Console, world: World) -> None:
    box = {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}
    read(world, "one.png", Label("cat", 90.0, box=box))

    (item,) = console.ok("GET", "/api/detections")["items"]

    assert item["labels"][0]["box"] == box


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ({"label": "cat"}, ["three.png", "one.png"]),
        ({"label": "dog"}, ["two.png"]),
        ({"min": "80"}, ["two.png", "one.png"]),
        ({"max": "80"}, ["three.png", "two.png"]),
        ({"min": "75", "max": "85"}, ["two.png"]),
        ({"label": "cat", "min": "80"}, ["one.png"]),
        ({"from": "2026-01-02"}, ["three.png", "two.png"]),
        ({"to": "2026-01-02"}, ["one.png"]),
        ({"from": "2026-01-02", "to": "2026-01-03"}, ["two.png"]),
        ({"state": "accepted"}, ["three.png", "two.png", "one.png"]),
        ({"state": "waiting"}, []),
    ],
)
def test_a_filter_lets_through_what_it_says(
    console: Console, three: list[str], query: dict[str, str], left: list[str]
) -> None:
    assert names(console, **query) == left


def test_an_image_of_which_nothing_was_said_matches_no_label_and_no_confidence(
    console: Console, world: World
) -> None:
    read(world, "nothing.png")

    assert names(console, min="1") == []
    assert names(console) == ["nothing.png"]


@pytest.mark.parametrize("query", [{}, {"label": "cat"}], ids=["all", "filtered"])
def test_pages_follow_each_other_without_a_gap(
    console: Console, three: list[str], query: dict[str, str]
) -> None:
    seen, cursor = [], None
    for _ in range(5):
        more: dict[str, str] = {"cursor": cursor} if cursor else {}
        page = console.ok("GET", "/api/detections", query={"limit": "1", **query, **more})
        assert len(page["items"]) <= 1
        seen += [item["id"] for item in page["items"]]
        if (cursor := page["next"]) is None:
            break

    assert seen == ([three[2], three[0]] if query else three[::-1])


def test_one_image_has_all_that_happened_to_it_oldest_first(console: Console, world: World) -> None:
    identity = failed(world)
    console.ok("POST", "/api/detections/again", {"ids": [identity]})

    detail = console.ok("GET", f"/api/detections/{identity}", groups=CONSUMER)

    assert (detail["image"], detail["state"]) == ("failed.png", "waiting")
    assert detail["size"] == world.detection(world_image(world, identity)).image.size > 0
    assert [event["type"] for event in detail["history"]] == ["ImageFailed", "ImageWaiting"]
    assert set(detail["history"][0]) == {"id", "type", "at", "subject", "text"}


def world_image(world: World, identity: str) -> Any:
    detection = world.deps.detections.get(identity)
    assert detection is not None
    return detection.image


def test_an_image_that_is_gone_is_said_so(console: Console) -> None:
    response = console.ask("GET", f"/api/detections/{'0' * 32}")

    assert response.status == 404
    assert "no such image" in response.body["message"]


def test_only_images_that_were_not_read_are_read_again(console: Console, world: World) -> None:
    done, sure = failed(world), read(world, "sure.png", Label("cat", 90.0))

    answer = console.ok("POST", "/api/detections/again", {"ids": [done, sure, done]})

    assert answer["done"] == 1
    (refusal,) = answer["failed"]
    assert refusal["id"] == sure
    assert "'sure.png' is accepted" in refusal["message"]
    assert [message["detail"]["object"]["key"] for message in world.queued()] == [
        "images_for_detection/failed.png"
    ]


def test_a_wrong_answer_is_reported_to_people(
    console: Console, world: World, three: list[str]
) -> None:
    world.set(Labels="cat,dog")

    answer = console.ok(
        "POST",
        f"/api/detections/{three[0]}/report",
        {"label": "dog"},
        groups=CONSUMER,
        name="bob",
    )

    assert "A reviewer looks at it next" in answer["message"]
    detection = world.deps.detections.existing(three[0])
    assert detection.state == DetectionState.REVIEW
    assert detection.reason == "bob reports that the answer is wrong, and proposes dog"
    again = console.ask("POST", f"/api/detections/{three[0]}/report", {}, groups=CONSUMER)
    assert again.status == 409
