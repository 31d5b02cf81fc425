"""Business rule: applications sign their reports; a person's token is none."""

from typing import Any

import pytest

from tests.adapters.world import World
from tests.console.console import Console

CALLER = "arn:aws:iam::123456789012:role/line-3"


@pytest.fixture
def wrong(world: World) -> str:
    """The id of an image that the model is sure of."""
    world.set(Labels="cat,dog")
    world.version("v1")
    return world.accepted("1.png").id


def authorizer(iam: dict[str, str]) -> dict[str, Any]:
    """The part of an event in which API Gateway says who has signed."""
    http = {"method": "POST", "path": "/reports"}
    return {"requestContext": {"stage": "$default", "http": http, "authorizer": {"iam": iam}}}


SIGNED = authorizer({"userArn": CALLER})


def test_an_application_reports_an_answer(console: Console, world: World, wrong: str) -> None:
    body = console.ok("POST", "/reports", {"image": "1.png", "label": "dog"}, **SIGNED)

    assert body == {"review": f"reported-{wrong}"}
    assert world.deps.detections.existing(wrong).reason.startswith(CALLER)


def test_it_may_say_which_of_its_people_reports(console: Console, world: World, wrong: str) -> None:
    console.ok("POST", "/reports", {"image": wrong, "by": "ann of line 3"}, **SIGNED)

    assert world.deps.detections.existing(wrong).reason.startswith("ann of line 3 reports")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"image": 1}, 400),
        ({"image": "1.png", "label": "../x"}, 400),
        ({"image": "2.png"}, 404),
    ],
)
def test_a_report_that_cannot_be_followed_says_why(
    console: Console, wrong: str, body: Any, status: int
) -> None:
    refusal = console.ask("POST", "/reports", body, **SIGNED)

    assert refusal.status == status
    assert refusal.body["message"]


def test_a_second_report_is_told_that_people_are_asked(console: Console, wrong: str) -> None:
    console.ok("POST", "/reports", {"image": wrong}, **SIGNED)

    assert console.ask("POST", "/reports", {"image": wrong}, **SIGNED).status == 409


def test_who_has_not_signed_is_refused(console: Console, world: World, wrong: str) -> None:
    assert console.ask("POST", "/reports", {"image": wrong}, **authorizer({})).status == 401
    assert console.ask("POST", "/reports", {"image": wrong}).status == 401
    assert world.events("ImageReported") == []
