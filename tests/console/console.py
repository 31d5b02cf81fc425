"""The console over the stack in memory: requests as API Gateway hands them to the function."""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient

from loupe.adapters.rekognition import VersionState
from loupe.console import (
    activity,
    conflicts,
    dataset,
    detect,
    labels,
    models,
    overview,
    page,
    reports,
    reviewers,
    reviews,
    settings,
)
from loupe.console.access import ROLES, Role
from loupe.domain.detection import DetectionState, Label, ModelOutput
from loupe.domain.versions import VersionStatus
from loupe.handlers.serve_console import handler
from loupe.services.detection import record
from tests.adapters.world import World, client, table_resource
from tests.console.contract import check_answer
from tests.template.reading import ROOT, STACK

MODULES = (
    activity,
    conflicts,
    dataset,
    detect,
    labels,
    models,
    overview,
    page,
    reports,
    reviewers,
    reviews,
    settings,
)
PUBLIC = {("GET", "/"), ("GET", "/assets/<name>"), ("GET", "/api/config")}
SIGNED = {("POST", "/reports")}
ROUTES: dict[tuple[str, str], tuple[Role, ...]] = {
    ("GET", "/api/me"): ROLES,
    ("GET", "/api/overview"): ROLES,
    ("POST", "/api/uploads"): (Role.CONSUMER,),
    ("GET", "/api/detections"): (Role.CONSUMER,),
    ("POST", "/api/detections/again"): (Role.CONSUMER,),
    ("GET", "/api/detections/<identity>"): (Role.CONSUMER,),
    ("POST", "/api/detections/<identity>/report"): (Role.CONSUMER, Role.OPERATOR),
    ("POST", "/api/reviews/claim"): (Role.REVIEWER,),
    ("POST", "/api/reviews/<identity>/answer"): (Role.REVIEWER,),
    ("POST", "/api/reviews/<identity>/release"): (Role.REVIEWER,),
    ("GET", "/api/reviewers"): (Role.OPERATOR,),
    ("GET", "/api/labels/about"): (Role.REVIEWER, Role.OPERATOR),
    ("POST", "/api/labels/description"): (Role.OPERATOR,),
    ("POST", "/api/labels/references"): (Role.OPERATOR,),
    ("POST", "/api/labels/rename"): (Role.OPERATOR,),
    ("POST", "/api/labels/merge"): (Role.OPERATOR,),
    ("GET", "/api/labels/none"): (Role.OPERATOR,),
    ("POST", "/api/labels/make"): (Role.OPERATOR,),
    ("GET", "/api/dataset/labels"): (Role.OPERATOR,),
    ("GET", "/api/dataset/examples"): (Role.OPERATOR,),
    ("GET", "/api/dataset/examples/<identity>"): (Role.OPERATOR,),
    ("POST", "/api/dataset/uploads"): (Role.OPERATOR,),
    ("POST", "/api/dataset/relabel"): (Role.OPERATOR,),
    ("POST", "/api/dataset/remove"): (Role.OPERATOR,),
    ("GET", "/api/models"): (Role.OPERATOR,),
    ("GET", "/api/models/<name>"): (Role.OPERATOR,),
    ("GET", "/api/models/<name>/against/<older>"): (Role.OPERATOR,),
    ("POST", "/api/models/train"): (Role.OPERATOR,),
    ("POST", "/api/models/approve"): (Role.OPERATOR,),
    ("POST", "/api/models/reject"): (Role.OPERATOR,),
    ("POST", "/api/models/rollback"): (Role.OPERATOR,),
    ("POST", "/api/models/start"): (Role.OPERATOR,),
    ("POST", "/api/models/stop"): (Role.OPERATOR,),
    ("GET", "/api/settings"): (Role.OPERATOR,),
    ("PUT", "/api/settings/<name>"): (Role.OPERATOR,),
    ("GET", "/api/events"): (Role.OPERATOR,),
    ("GET", "/api/conflicts"): (Role.OPERATOR,),
    ("POST", "/api/conflicts/<identity>"): (Role.OPERATOR,),
}
"""Who may call which route. What every other role gets is 403."""


@dataclass(frozen=True)
class Response:
    """A response, and how many requests to services it took."""

    status: int
    body: Any
    headers: Mapping[str, str]
    calls: int


class Console:
    """The deployed console. `world` is what stands behind it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.calls = 0

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        groups: str | None = f"[{' '.join(ROLES)}]",
        name: str = "ann",
        query: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Response:
        """What is answered. `body` is sent as JSON unless it is a text; `more` changes the event.

        `groups` is the claim as API Gateway writes it, None if the token has no such claim.
        """
        event = _event(method, path)
        claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
        claims["cognito:username"] = name
        del claims["cognito:groups"]
        if groups is not None:
            claims["cognito:groups"] = groups
        if query is not None:
            event["queryStringParameters"] = dict(query)
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        return self.send(event | more)

    def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The JSON that is answered to a request that is in order."""
        response = self.ask(method, path, body, **more)
        assert response.status == 200, response
        return response.body

    def send(self, event: Mapping[str, Any]) -> Response:
        """What is answered to a raw event; an answer that breaks the contract, or is no JSON, is an
        error of the test.
        """
        before = self.calls
        answer = handler(dict(event), None)
        json.dumps(answer).encode()  # As the runtime hands it over.
        body = b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"]
        document = json.loads(body)
        http = event["requestContext"]["http"]
        check_answer(http["method"], event["rawPath"], answer["statusCode"], document)
        return Response(answer["statusCode"], document, answer["headers"], self.calls - before)

    def count(self, **_: Any) -> None:
        """One request to a service more."""
        self.calls += 1


@contextmanager
def console_of(world: World, folder: Path) -> Iterator[Console]:
    """The console over `world`, whose page is made in `folder`."""
    console = Console(world)
    (folder / "assets").mkdir()
    (folder / "index.html").write_text('"page"')
    (folder / "assets" / "app.js").write_text('"script"')
    watched: list[BaseClient] = [client(s) for s in ("s3", "sqs", "ssm", "scheduler")]
    watched.append(table_resource().meta.client)
    with pytest.MonkeyPatch.context() as patch:
        for module in MODULES:
            patch.setattr(module, "deps", lambda: world.deps)
        patch.setattr(page, "files", lambda _: folder)
        patch.setattr(page, "_read", page._read.__wrapped__)
        for each in watched:
            each.meta.events.register("before-call", console.count)
        yield console
        for each in watched:
            each.meta.events.unregister("before-call", console.count)


@dataclass(frozen=True)
class Filled:
    """Identifiers of what a filled world holds."""

    accepted: str
    failed: str
    open: tuple[str, ...]
    conflict: str
    two_labels: str
    examples: tuple[str, ...]
    cursor: str


def fill(world: World) -> Filled:
    """Something of everything: images, reviews, conflicts, labelled images, versions, schedules."""
    make_schedules(world)
    world.make_parameters()
    world.version("v1", arn="arn:v1", f1=0.9)
    world.version("v2", VersionStatus.WAITING_FOR_APPROVAL, approval_token="token")
    world.deps.versions.promote(
        world.deps.versions.get("v1"), world.deps.versions.service(), "2026-01-01", "", []
    )
    world.rekognition.states["v1"] = VersionState("STOPPED", "arn:v1")
    examples = [
        world.labelled(label, f"<b>{number}.png", picture)
        for label, number, picture in (("cat", 1, 1), ("dog", 2, 2), ("cat", 3, 3), ("dog", 4, 3))
    ]
    unsure = Label("cat", 40.0)
    asked = [world.asked(unsure, name=f"{n}.png", version="v1", picture=10 + n) for n in range(3)]
    world.set(Reviewers_Per_Image="2")
    undecided = Label("cat", 35.0), Label("dog", 35.0)
    conflict = world.asked(*undecided, name="conflict.png", version="v1", picture=20)
    world.taken_in(world.answered(conflict, "cat", "dog"))
    return Filled(
        accepted=world.accepted("sure.png").id,
        failed=failed(world),
        open=tuple(asked),
        conflict=conflict,
        two_labels=_two_labels(world, conflict),
        examples=tuple(_example_id(world, key) for key in examples),
        cursor=next(world.deps.detections.newest()).sort_key,
    )


def failed(world: World) -> str:
    """An image that Rekognition refused."""
    image = world.received("failed.png")
    record(image.id, DetectionState.FAILED, ModelOutput("none"), "it cannot be read", world.deps)
    return image.id


def _two_labels(world: World, other: str) -> str:
    found = [review.id for review in world.deps.reviews.newest("conflict") if review.id != other]
    (identity,) = found
    return identity


def _example_id(world: World, key: str) -> str:
    found = world.deps.dataset.labelled_image(key)
    assert found is not None
    return found.id


def make_schedules(world: World) -> None:
    for name in ("training", "sampling"):
        world.client("scheduler").create_schedule(
            Name=f"{STACK}-{name}",
            ScheduleExpression="rate(720 minutes)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": "arn:aws:lambda:us-east-1:123456789012:function:f", "RoleArn": "a" * 20},
        )


@cache
def _sample() -> str:
    return (ROOT / "events" / "serve_console.json").read_text()


def _event(method: str, path: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(_sample())
    event["rawPath"] = path
    event["requestContext"]["http"] |= {"path": path, "method": method}
    return event
