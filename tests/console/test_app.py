"""Business rule: the page is sent with what a browser may do, and every error is said in words."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from loupe.errors import (
    AlreadyDone,
    InvalidRequest,
    InvalidSetting,
    NotFound,
    NotPermitted,
    ServiceRefused,
    TryAgain,
)
from tests.adapters.world import BUCKET, World
from tests.console.console import Console
from tests.template.reading import STACK


def test_the_page_is_asked_for_anew_each_time(console: Console) -> None:
    assert console.ok("GET", "/") == "page"

    headers = console.ask("GET", "/").headers
    assert headers["Cache-Control"] == "no-cache"
    assert headers["Content-Type"] == "text/html"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_only_its_own_scripts_run_and_images_come_from_the_bucket_alone(console: Console) -> None:
    policy = console.ask("GET", "/").headers["Content-Security-Policy"].split("; ")

    assert policy[0] == "default-src 'none'"
    assert "script-src 'self'" in policy
    assert f"img-src 'self' blob: data: https://{BUCKET}.s3.amazonaws.com" in policy
    assert "frame-ancestors 'none'" in policy


def test_an_asset_is_kept_for_ever_because_its_name_changes_with_it(console: Console) -> None:
    assert console.ok("GET", "/assets/app.js") == "script"

    headers = console.ask("GET", "/assets/app.js").headers
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["Content-Type"].endswith("javascript")


def test_what_must_be_known_before_anybody_signs_in_needs_no_role(console: Console) -> None:
    assert console.ok("GET", "/api/config", groups=None) == {
        "stack": STACK,
        "client_id": "client",
        "cognito": "https://cognito-idp.us-east-1.amazonaws.com",
        "image_bytes": 15 * 2**20,
        "image_types": ["image/png", "image/jpeg"],
        "none_of_the_above": "none of the above",
        "asked_by_a2i": False,
        "billed": True,
    }


def test_the_page_knows_who_asks_people(console: Console, world: World) -> None:
    world.use(loops=world.loops)

    assert console.ok("GET", "/api/config")["asked_by_a2i"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidRequest, 400),
        (InvalidSetting, 400),
        (NotFound, 404),
        (AlreadyDone, 409),
        (NotPermitted, 502),
        (ServiceRefused, 502),
        (TryAgain, 503),
    ],
)
def test_each_error_has_its_status_and_its_own_words(
    console: Console, world: World, monkeypatch: pytest.MonkeyPatch, error: Any, status: int
) -> None:
    def fail(*_: Any) -> None:
        raise error("These are the words.")

    monkeypatch.setattr(world.deps.versions, "get", fail)

    response = console.ask("POST", "/api/models/rollback", {"version": "v1"})

    assert (response.status, response.body) == (status, {"message": "These are the words."})


def test_a_service_that_is_busy_is_named_and_a_mistake_of_ours_is_not_hidden(
    console: Console, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(code: str) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "slow down"}}, "GetItem")

    monkeypatch.setattr(world.deps.versions, "progress", lambda: refuse("ThrottlingException"))
    response = console.ask("GET", "/api/overview")
    monkeypatch.setattr(world.deps.versions, "progress", lambda: refuse("ValidationException"))

    assert response.status == 503
    assert "slow down" in response.body["message"]
    with pytest.raises(ClientError):
        console.ask("GET", "/api/overview")


@pytest.mark.parametrize("error", [ConnectTimeoutError, ReadTimeoutError])
def test_a_service_that_does_not_answer_is_named_in_a_sentence(
    console: Console,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    error: type[ReadTimeoutError],
) -> None:
    def hangs() -> None:
        raise error(endpoint_url="https://dynamodb")

    monkeypatch.setattr(world.deps.versions, "progress", hangs)

    response = console.ask("GET", "/api/overview")

    assert response.status == 503
    assert "https://dynamodb" in response.body["message"]
