"""The console's API answers in words, also when a service does not answer at all."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from loupe.console import overview
from loupe.handlers.serve_console import handler
from tests.adapters.world import World
from tests.template.reading import ROOT


def request(path: str) -> dict[str, Any]:
    """The sample request, of another page."""
    sample: dict[str, Any] = json.loads((ROOT / "events" / "serve_console.json").read_text())
    http = sample["requestContext"]["http"] | {"path": path}
    return sample | {"rawPath": path, "requestContext": sample["requestContext"] | {"http": http}}


def test_a_service_that_is_busy_is_named_and_a_mistake_of_ours_is_not_hidden(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(code: str) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "slow down"}}, "GetItem")

    monkeypatch.setattr(overview, "deps", lambda: world.deps)
    monkeypatch.setattr(world.deps.versions, "progress", lambda: refuse("ThrottlingException"))
    answer = handler(request("/api/overview"), None)
    monkeypatch.setattr(world.deps.versions, "progress", lambda: refuse("ValidationException"))

    assert answer["statusCode"] == 503
    assert "slow down" in json.loads(answer["body"])["message"]
    with pytest.raises(ClientError):
        handler(request("/api/overview"), None)


@pytest.mark.parametrize("error", [ConnectTimeoutError, ReadTimeoutError])
def test_a_service_that_does_not_answer_is_named_in_a_sentence(
    world: World, monkeypatch: pytest.MonkeyPatch, error: type[ReadTimeoutError]
) -> None:
    def hangs() -> None:
        raise error(endpoint_url="https://dynamodb")

    monkeypatch.setattr(overview, "deps", lambda: world.deps)
    monkeypatch.setattr(world.deps.versions, "progress", hangs)

    answer = handler(request("/api/overview"), None)

    assert answer["statusCode"] == 503
    assert "https://dynamodb" in json.loads(answer["body"])["message"]
