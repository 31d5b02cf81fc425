"""Business rule: what release 0.1.0 has written is all there for this one, and stays when written.

tests/upgrade/README.md says how that release's data was made.
"""

import base64
import json
from collections import Counter
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer

from loupe.adapters.earlier_conflicts import EarlierConflicts
from loupe.adapters.records import SETTLED_AFTER
from loupe.domain.review import ReviewState, label_conflict_id
from loupe.errors import UnreadableRecord
from loupe.services.review_answers import decide_conflict
from loupe.wiring import Deps
from tests.adapters.world import World, table_resource
from tests.template.reading import ROOT

LINES = (ROOT / "tests/upgrade/released/0.1.0/items.jsonl").read_text().splitlines()
LATER = {"of a later release": {"a": [1]}}


def released() -> list[dict[str, Any]]:
    read: Any = TypeDeserializer().deserialize
    return [
        {name: read(_with_bytes(value)) for name, value in json.loads(line).items()}
        for line in LINES
    ]


def _with_bytes(value: dict[str, Any]) -> dict[str, Any]:
    return {"B": base64.b64decode(value["B"]["base64"])} if "B" in value else value


ITEMS = released()
"""With its events, which `world` holds to the schemas of this release."""


def of_kind(kind: str) -> Counter[str]:
    """How many items of a kind the release has, by state."""
    states = (str(item.get("list_state", "")).partition("#") for item in ITEMS)
    return Counter(state for prefix, _, state in states if prefix == kind)


@pytest.fixture
def upgraded(world: World) -> World:
    """Every item of the release, and in each an attribute that no release knows yet."""
    with table_resource().batch_writer() as batch:
        for item in ITEMS:
            batch.put_item(Item=item | LATER)
    return world


def test_every_record_is_read(upgraded: World) -> None:
    deps = upgraded.deps

    assert Counter(d.state for d in deps.detections.newest()) == of_kind("DETECTION")
    assert Counter(r.state for r in deps.reviews.newest()) == of_kind("REVIEW")
    assert Counter(e.status for e in deps.dataset.labelled_images()) == of_kind("EXAMPLE")
    versions = [item["name"] for item in ITEMS if item["sk"] == "VERSION"]
    assert {version.name for version in deps.versions.newest()} == set(versions)
    assert deps.versions.service().version == "v1"
    assert deps.versions.progress().attempts == len(versions)
    assert deps.versions.predictions("v1").keys() == {
        item["sk"] for item in ITEMS if item["pk"] == "PREDICTIONS#v1"
    }
    (none,) = [d for d in deps.detections.newest() if d.image.name == "cold 1.png"][:1]
    assert none.none_of_the_above


def test_counts_hold_what_the_release_did_not_count(upgraded: World) -> None:
    deps = upgraded.deps
    assert not deps.records.are_counted()
    while deps.records.count_earlier(deps.clock(), 25):
        upgraded.deps.now += SETTLED_AFTER

    assert deps.records.are_counted()
    assert deps.detections.counts() == of_kind("DETECTION")
    assert deps.reviews.counts() == of_kind("REVIEW")


def test_a_picture_under_two_labels_is_asked_about_once(upgraded: World) -> None:
    (group,) = {item["id"] for item in ITEMS if item["sk"] == "GROUP" and two_labels(item)}
    deps = upgraded.deps
    counts = deps.dataset.label_counts().by_label

    opened = [opened_conflicts(deps, 5) for _ in range(20)]

    assert sum(opened) == 1
    asked = {r.id: r for r in deps.reviews.newest(ReviewState.CONFLICT)}[label_conflict_id(group)]
    assert (asked.image.name, asked.labels) == ("zero/conflict.png", ("one", "zero"))
    assert deps.dataset.label_counts().by_label == counts
    decide_conflict(asked.id, "one", "ada", deps)
    deps.now += SETTLED_AFTER
    assert not any(opened_conflicts(deps, 5) for _ in range(20))
    assert (deps.table.get("STATE", "CONFLICTS") or {})["done"]


def test_a_conflict_of_an_old_function_is_found_by_the_last_look(upgraded: World) -> None:
    deps = upgraded.deps
    opened_conflicts(deps, 100)
    older = next(item for item in ITEMS if item["sk"] == "GROUP" and len(item["members"]) == 1)
    (member,) = older["members"]
    members = [member, member | {"key": f"{member['key']}.png", "label": "another"}]
    table_resource().put_item(Item=older | {"members": members})

    deps.now += SETTLED_AFTER
    opened = [opened_conflicts(deps, 100) for _ in range(3)]

    assert sum(opened) == 1


def opened_conflicts(deps: Deps, limit: int) -> int:
    return EarlierConflicts(deps.table, deps.objects.bucket).open(deps.clock(), limit)


def two_labels(group: dict[str, Any]) -> bool:
    return len({member["label"] for member in group["members"]}) > 1


def test_what_is_written_again_loses_nothing(upgraded: World) -> None:
    deps = upgraded.deps
    for detection in list(deps.detections.newest()):
        deps.detections.move(detection, detection.state)
    for review in list(deps.reviews.newest()):
        deps.reviews.move(review, review)
    for version in list(deps.versions.newest()):
        deps.versions.save(version, reason=version.reason)
    for example in list(deps.dataset.labelled_images()):
        deps.dataset.note(example, example, deps.dataset.label_counts(), [])

    for item in ITEMS:
        key = {"pk": item["pk"], "sk": item["sk"]}
        expected = item | LATER
        if item.get("none_of_the_above"):  # Since then that answer stands among the labels.
            del expected["labels"]
        now = table_resource().get_item(Key=key)["Item"]
        assert {name: now.get(name) for name in expected} == expected


def test_one_unreadable_record_keeps_back_no_other(upgraded: World) -> None:
    broken = next(item for item in ITEMS if item["sk"] == "DETECTION")
    table_resource().put_item(Item=broken | {"labels": "cat"})

    assert len(list(upgraded.deps.detections.newest())) == of_kind("DETECTION").total() - 1
    with pytest.raises(UnreadableRecord, match=f"{broken['pk']} DETECTION .*'labels' is 'cat'"):
        upgraded.deps.detections.get(broken["pk"].removeprefix("IMAGE#"))
