"""Business rule: an operator sees how every version did, and decides which one answers."""

import json
from typing import Any

import pytest

from loupe.adapters.rekognition import VersionState
from loupe.console.access import Role
from loupe.domain.comparison import Prediction
from loupe.domain.manifest import ManifestEntry, render
from loupe.domain.versions import VersionStatus
from loupe.services.training_data import manifest_key
from tests.adapters.world import World
from tests.console.console import Console

OPERATOR = f"[{Role.OPERATOR}]"
COMPARISON = {
    "challenger": {"f1": 0.8, "images": 3, "accepted_share": 0.5, "accepted_accuracy": None},
    "champion_version": "v1",
    "f1": [0.8, 0.6],
    "difference": 0.2,
    "interval": [-0.1, 0.3],
    "images": 3,
}


@pytest.fixture
def orders(world: World, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What state machines and waiting runs are given from now on."""
    given: list[tuple[str, Any]] = []
    for name in ("start", "answer"):
        monkeypatch.setattr(
            world.executions, name, lambda target, payload: given.append((target, payload))
        )
    return given


def serve(world: World, name: str, status: str = "RUNNING") -> None:
    """Given a version that is in service."""
    world.version(name, VersionStatus.TRAINING, arn=f"arn:{name}")
    versions = world.deps.versions
    versions.promote(versions.get(name), versions.service(), "2026-01-01", "it is the first", [])
    world.rekognition.states[name] = VersionState(status, f"arn:{name}", units=1)


def test_the_newest_version_comes_first_and_says_whether_it_answers(
    console: Console, world: World
) -> None:
    serve(world, "v1")
    world.version(
        "v2",
        VersionStatus.REJECTED,
        arn="arn:v2",
        f1=0.5,
        training_images=8,
        holdout_images=2,
        reason="Olga rejected it",
        samples=3,
        samples_agreed=2,
        approval_token="secret",
    )

    newer, older = console.ok("GET", "/api/models", groups=OPERATOR)["items"]

    assert newer == {
        "name": "v2",
        "status": "rejected",
        "at": "2026-01-01T00:00:00.000Z",
        "labels": ["cat", "dog"],
        "f1": 0.5,
        "training_images": 8,
        "holdout_images": 2,
        "reason": "Olga rejected it",
        "in_service": False,
        "samples": 3,
        "samples_agreed": 2,
        "reports": 0,
        "reports_confirmed": 0,
        "settled": 0,
        "retry_at": "",
    }
    assert (older["name"], older["status"], older["in_service"]) == ("v1", "in_service", True)


def test_a_version_that_was_in_service_is_replaced(console: Console, world: World) -> None:
    serve(world, "v1")
    serve(world, "v2")

    statuses = [item["status"] for item in console.ok("GET", "/api/models")["items"]]

    assert statuses == ["in_service", "replaced"]


def test_a_version_that_never_got_far_has_no_measures(console: Console, world: World) -> None:
    world.version("v1", VersionStatus.TRAINING_FAILED)

    detail = console.ok("GET", "/api/models/v1")

    assert (detail["per_label"], detail["confusion"], detail["snapshot"]) == ([], None, [])
    assert (detail["comparison"], detail["model_status"]) == ([], "")


def entry(label: str, content: str) -> ManifestEntry:
    return ManifestEntry(f"s3://b/{content}", label, content, "uploaded", "")


def snapshot(world: World, name: str) -> None:
    """Given that a version was trained on two images, and tested on three others."""
    train = [entry("cat", "1"), entry("cat", "2")]
    test = [entry("cat", "3"), entry("dog", "4"), entry("dog", "5")]
    for split, entries in (("train", train), ("test", test)):
        body = render(entries).encode()
        world.deps.objects.write(manifest_key(name, split), body, "application/jsonl")


def predict(world: World, name: str, *labels: str | None) -> None:
    """Given what a version said of the three test images."""
    for content, label in zip("345", labels, strict=True):
        world.deps.versions.save_prediction(name, content, Prediction(label, 90.0))


def test_a_version_shows_what_it_takes_for_what(console: Console, world: World) -> None:
    world.version("v1", comparison=COMPARISON)
    snapshot(world, "v1")
    predict(world, "v1", "cat", "cat", None)

    detail = console.ok("GET", "/api/models/v1", groups=OPERATOR)

    assert detail["confusion"] == {"labels": ["cat", "dog"], "counts": [[1, 0, 0], [1, 0, 1]]}
    assert detail["snapshot"] == [
        {"label": "cat", "train": 2, "test": 1, "underrepresented": ""},
        {"label": "dog", "train": 0, "test": 2, "underrepresented": ""},
    ]


def test_the_services_own_measures_are_listed_label_by_label(
    console: Console, world: World
) -> None:
    metrics = {"F1Score": 0.5, "Precision": 0.25, "Recall": 0.75}
    summary = {"LabelEvaluationResults": [{"Label": "cat", "Metrics": metrics}]}
    world.deps.objects.write("evaluation/v1/s.json", json.dumps(summary).encode(), "text/json")
    world.version("v1")
    state = VersionState("STOPPED", "arn:v1", evaluation="evaluation/v1/s.json")
    world.rekognition.states["v1"] = state

    detail = console.ok("GET", "/api/models/v1")

    assert detail["model_status"] == "STOPPED"
    assert detail["per_label"] == [{"label": "cat", "f1": 0.5, "precision": 0.25, "recall": 0.75}]


def test_the_comparison_is_said_in_lines_for_people(console: Console, world: World) -> None:
    world.version("v1")
    world.version("v2", comparison=COMPARISON)

    lines = console.ok("GET", "/api/models/v2")["comparison"]

    assert {line["name"]: line["value"] for line in lines} == {
        "Loupe's F1 of v2 on 3 test images": "0.800",
        "Loupe's F1 of v1 on the same images": "0.600",
        "Difference": "+0.200",
        "Answered without a person": "50 %",
        "Right, of what is answered without a person": "nothing was",
        "With 90 % certainty the difference lies in": "-0.100 to +0.300, so it may be chance",
    }


def test_two_versions_stand_side_by_side_the_older_one_first(
    console: Console, world: World
) -> None:
    world.version("v1")
    world.version("v2", comparison=COMPARISON)
    snapshot(world, "v2")
    predict(world, "v1", "cat", None, None)
    predict(world, "v2", "cat", "dog", "dog")

    answer = console.ok("GET", "/api/models/v2/against/v1", groups=OPERATOR)

    assert answer == {
        "images": 3,
        "f1": [0.5, 1.0],
        "label_f1": {"cat": [1.0, 1.0], "dog": [0.0, 1.0]},
    }


def test_versions_that_were_never_compared_have_no_image_in_common(
    console: Console, world: World
) -> None:
    world.version("v1")
    world.version("v2")

    assert console.ok("GET", "/api/models/v2/against/v1")["images"] == 0


@pytest.mark.parametrize("again", [True, False])
def test_a_check_begins_and_takes_a_failed_training_up_only_if_asked(
    console: Console, orders: list[tuple[str, Any]], again: bool
) -> None:
    body = {"again": True} if again else {}

    message = console.ok("POST", "/api/models/train", body, groups=OPERATOR)["message"]

    assert orders == [("arn:improve", {"again": again})]
    assert "has begun" in message


@pytest.mark.parametrize(
    ("order", "approved", "words"), [("approve", True, "takes over"), ("reject", False, "rejected")]
)
def test_the_version_that_waits_gets_the_operators_word(
    console: Console,
    world: World,
    orders: list[tuple[str, Any]],
    order: str,
    approved: bool,
    words: str,
) -> None:
    world.version("v1", VersionStatus.WAITING_FOR_APPROVAL, approval_token="token")

    message = decide(console, order, "v1")

    assert orders == [("token", {"approved": approved, "by": "olga"})]
    assert "v1" in message
    assert words in message


def decide(console: Console, order: str, version: str) -> str:
    body = {"version": version}
    if order == "approve":
        answer = console.ok("POST", "/api/models/approve", body, name="olga", groups=OPERATOR)
    else:
        answer = console.ok("POST", "/api/models/reject", body, name="olga", groups=OPERATOR)
    return str(answer["message"])


@pytest.mark.parametrize("order", ["approve", "reject"])
def test_no_version_is_decided_on_in_place_of_another(
    console: Console, world: World, orders: list[tuple[str, Any]], order: str
) -> None:
    none = console.ask("POST", f"/api/models/{order}", {"version": "v1"})
    world.version("v1", VersionStatus.WAITING_FOR_APPROVAL, approval_token="token")
    other = console.ask("POST", f"/api/models/{order}", {"version": "v2"})

    assert (none.status, other.status) == (400, 400)
    assert "No version waits" in none.body["message"]
    assert "v1 waits for approval, and not v2" in other.body["message"]
    assert orders == []


def test_an_earlier_version_is_put_back_by_the_improve_machine(
    console: Console, world: World, orders: list[tuple[str, Any]]
) -> None:
    world.version("v1", VersionStatus.REPLACED)

    message = console.ok("POST", "/api/models/rollback", {"version": "v1"}, groups=OPERATOR)

    assert orders == [("arn:improve", {"deploy": "v1"})]
    assert "v1 is started" in message["message"]


def test_a_version_that_is_unknown_is_not_put_back(
    console: Console, orders: list[tuple[str, Any]]
) -> None:
    response = console.ask("POST", "/api/models/rollback", {"version": "v9"})

    assert (response.status, orders) == (404, [])
    assert "v9" in response.body["message"]


def test_the_model_starts_and_says_that_it_bills(console: Console, world: World) -> None:
    serve(world, "v1", "STOPPED")

    message = console.ok("POST", "/api/models/start", groups=OPERATOR)["message"]

    assert world.rekognition.calls[-1] == ("start", "arn:v1", 1, 1)
    assert message == "The model starts. A running model is billed by the hour."


def test_the_model_stops(console: Console, world: World) -> None:
    serve(world, "v1", "RUNNING")

    message = console.ok("POST", "/api/models/stop", groups=OPERATOR)["message"]

    assert world.rekognition.calls[-1] == ("stop", "arn:v1")
    assert "The model stops" in message


@pytest.mark.parametrize("order", ["start", "stop"])
def test_without_a_version_in_service_there_is_nothing_to_switch(
    console: Console, world: World, order: str
) -> None:
    response = console.ask("POST", f"/api/models/{order}")

    assert response.status == 400
    assert "No version is in service" in response.body["message"]
    assert world.rekognition.calls == []
