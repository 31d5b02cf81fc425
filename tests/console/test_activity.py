"""Business rule: an operator sees what happened, newest first, all of it or one kind."""

from loupe.console.access import Role
from loupe.domain.events import TEXTS
from tests.adapters.world import World
from tests.console.console import Console, failed

OPERATOR = f"[{Role.OPERATOR}]"


def test_the_newest_event_comes_first_as_people_read_it(console: Console, world: World) -> None:
    world.accepted("sure.png")
    failed(world)

    page = console.ok("GET", "/api/events", groups=OPERATOR)

    assert [item["type"] for item in page["items"]] == ["ImageFailed", "ImageAccepted"]
    assert page["next"] is None
    assert page["types"] == list(TEXTS)
    newest, written = page["items"][0], world.events("ImageFailed")[0]
    assert newest == {name: written[name] for name in ("id", "type", "at", "subject", "text")}
    assert "failed.png" in newest["text"]


def test_one_kind_is_listed_alone(console: Console, world: World) -> None:
    world.accepted("sure.png")
    failed(world)

    page = console.ok("GET", "/api/events", query={"type": "ImageAccepted"})

    assert [item["type"] for item in page["items"]] == ["ImageAccepted"]


def test_pages_follow_each_other_without_a_gap(console: Console, world: World) -> None:
    for name in "abc":
        world.accepted(f"{name}.png")
    first = console.ok("GET", "/api/events", query={"limit": "2"})
    second = console.ok("GET", "/api/events", query={"limit": "2", "cursor": first["next"]})

    ids = [item["id"] for page in (first, second) for item in page["items"]]
    assert ids == [event["id"] for event in reversed(world.events())]
    assert second["next"] is None


def test_a_kind_that_there_is_not_is_named(console: Console) -> None:
    response = console.ask("GET", "/api/events", query={"type": "Nothing"})

    assert response.status == 400
    assert "type" in response.body["message"]
    assert "ImageAccepted" in response.body["message"]
