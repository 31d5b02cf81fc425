"""Business rule: events that come repeatedly, late and in any order lead to the same state.

S3, SQS and EventBridge deliver at least once and in no order. A thousand deliveries of uploads,
labelled images, answers and parameter changes, shuffled, end as the same events do that come once
and in order.
"""

import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from types import ModuleType
from typing import Any

import pytest
from moto.moto_api._internal.models import moto_api_backend

from loupe.domain.detection import DetectionState, Label, ModelOutput
from loupe.domain.keys import DETECTION_PREFIX, LABELLED_PREFIX, REVIEW_PREFIX, ImageRef
from loupe.domain.labelled_images import LabelledImageStatus
from loupe.handlers import (
    apply_settings,
    dispatch_images,
    record_review,
    register_image,
)
from loupe.services.detection import record
from loupe.services.payloads import image_from_json
from loupe.services.review_desk import answer
from loupe.services.reviews import request_review
from tests.adapters.world import BUCKET, World, png, s3_event, sqs_event
from tests.template.reading import STACK

UPLOADS, LABELLED, DELIVERIES = 30, 30, 1000
LABELS = ("cat", "dog")
PARAMETER_CHANGE: Mapping[str, Any] = {
    "source": "aws.ssm",
    "detail-type": "Parameter Store Change",
    "detail": {"operation": "Update", "name": f"/{STACK}/Human-Sampling-Interval"},
}
HANDLERS: Mapping[str, ModuleType] = {
    DETECTION_PREFIX: dispatch_images,
    LABELLED_PREFIX: register_image,
    REVIEW_PREFIX: record_review,
}


class Reading:
    """In the place of the detect machine: the model is sure of every third image."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(self, machine_arn: str, name: str, payload: Mapping[str, Any]) -> None:
        image, deps = image_from_json(payload["image"]), self._world.deps
        sure = _number(image.key) % 3 == 0
        answer = ModelOutput("labels", (Label("cat", 90.0 if sure else 40.0),), "v1")
        if sure:
            record(image.id, DetectionState.ACCEPTED, answer, "", deps)
            return
        request_review(image.id, answer, deps.parameters.settings(), deps)


class Town:
    """A world whose bucket tells of its changes, and whose events are delivered by hand."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.events: list[dict[str, Any]] = []
        self.delivered = 0
        self._told: set[str] = set()
        world.use(executions=Reading(world))
        world.version("v1")
        for module in (*HANDLERS.values(), apply_settings):
            patch.setattr(module, "deps", lambda: world.deps)
        patch.setattr("loupe.services.settings._schedules", lambda _settings, _deps: [])

    def put(self, key: str, picture: int) -> None:
        self.events.append(s3_event(self.world.put(key, png(picture))))

    def remove(self, key: str) -> None:
        self.world.remove(key)
        gone = ImageRef(BUCKET, key, "", "", 0)
        self.events.append(s3_event(gone, "Object Deleted"))

    def change(self) -> None:
        """What people do before any event arrives: upload, label, replace, relabel, remove, set."""
        self.world.set(Labels=",".join(LABELS))
        for number in range(UPLOADS):
            self.put(f"{DETECTION_PREFIX}{number}.png", number)
        for number in range(LABELLED):
            self.put(f"{LABELLED_PREFIX}{LABELS[number % 2]}/{number}.png", 1000 + number)
        for number in range(0, LABELLED, 5):
            label, other = LABELS[number % 2], LABELS[1 - number % 2]
            key = f"{LABELLED_PREFIX}{label}/{number}.png"
            match number % 3:
                case 0:
                    self.put(key, 2000 + number)
                case 1:
                    self.remove(key)
                case 2:
                    self.put(f"{LABELLED_PREFIX}{other}/{number}.png", 1000 + number)
                    self.remove(key)
        self.world.set(Human_Sampling_Interval="500", Maximum_Inference_Units="3")
        self.world.set(Human_Sampling_Interval="700", Minimum_Inference_Units="2")
        self.events += [dict(PARAMETER_CHANGE)] * 4

    def answer_all(self) -> None:
        """People answer every open review."""
        for review in sorted(self.world.deps.reviews.newest("open"), key=lambda r: r.image.key):
            label = LABELS[_number(review.image.key) % 2]
            answer(review.id, "ann", label, self.world.deps)

    def new_events(self) -> list[dict[str, Any]]:
        """Events of objects that Loupe itself has written since the last look."""
        keys = set(self.world.keys(REVIEW_PREFIX)) | {
            key for key in self.world.keys(LABELLED_PREFIX) if key.count(".") > 1
        }
        fresh = sorted(keys - self._told)
        self._told |= keys
        return [s3_event(self.world.deps.objects.current(key).image) for key in fresh]

    def deliver(self, event: dict[str, Any]) -> None:
        """One delivery to the real handler; a refused message comes again later."""
        self.delivered += 1
        if event["source"] == "aws.ssm":
            apply_settings.handler(event, None)
            return
        key = event["detail"]["object"]["key"]
        (module,) = (found for prefix, found in HANDLERS.items() if key.startswith(prefix))
        failed = module.handler(sqs_event(event), None)
        assert failed == {"batchItemFailures": []}, json.dumps(event)

    def state(self) -> dict[str, Any]:
        """Everything that is to be the same. Left out: times, ids of versions, and which of a
        label's pictures are held out, which is decided by the order in which they came."""
        deps = self.world.deps
        counts = deps.dataset.label_counts().by_label
        examples = list(deps.dataset.labelled_images())
        told = Counter(
            (event["type"], event["detail"].get("image") or event["detail"].get("reason"))
            for event in self.world.events()
            if not event["type"].startswith(("Example", "Settings", "Label"))
        )
        return {
            "images": sorted(
                (d.image.key, d.state, d.version, d.labels, d.reason)
                for d in deps.detections.newest()
            ),
            "reviews": sorted(
                (r.image.key, r.purpose, r.state, tuple((p.worker, p.label) for p in r.answers))
                for r in deps.reviews.newest()
            ),
            "image counts": deps.detections.counts(),
            "review counts": deps.reviews.counts(),
            "labelled": sorted(
                (e.key.split(".")[0], e.label, e.status, e.source, e.reviewers, e.by)
                for e in examples
                if e.status != LabelledImageStatus.REMOVED
            ),
            "label counts": {label: asdict(n) for label, n in counts.items()},
            "pictures": Counter(
                len(deps.dataset.group(e.group).members) for e in examples if e.group
            ),
            "events": told,
            "sampled": (deps.versions.get("v1").samples, deps.versions.get("v1").samples_agreed),
            "concurrency": self.world.event_source.concurrency,
            "settings": deps.parameters.values(),
        }


def _number(key: str) -> int:
    return int(key.rpartition("/")[2].partition(".")[0])


def once_and_in_order(town: Town) -> None:
    town.change()
    for event in town.events:
        town.deliver(event)
    town.answer_all()
    while fresh := town.new_events():
        for event in fresh:
            town.deliver(event)


def repeated_and_shuffled(town: Town, dice: random.Random) -> None:
    """Every event comes at least once; what is answered comes in the middle of it all."""
    town.change()
    pool = list(town.events)
    pool += dice.choices(pool, k=DELIVERIES // 2 - len(pool))
    dice.shuffle(pool)
    for event in pool:
        town.deliver(event)
    town.answer_all()
    late = dice.choices(town.events, k=100) + town.new_events()
    known = list(late)
    while late or town.delivered < DELIVERIES:
        place = dice.randrange(len(late)) if late else None
        town.deliver(dice.choice(known) if place is None else late.pop(place))
        fresh = town.new_events()
        known += fresh
        late += fresh + dice.choices(known, k=len(fresh))


@pytest.mark.parametrize("seed", [1])
def test_a_thousand_events_repeated_and_shuffled_end_as_once_and_in_order(
    world: World, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    calm = Town(world, monkeypatch)
    once_and_in_order(calm)
    wanted = calm.state()
    moto_api_backend.reset()

    town = Town(World(), monkeypatch)
    repeated_and_shuffled(town, random.Random(seed))

    assert town.delivered >= DELIVERIES
    found = town.state()
    for subject, value in wanted.items():
        assert found[subject] == value, subject
