"""What must hold of a stack at rest, whatever was killed before."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from loupe.adapters.detections import detection_of
from loupe.adapters.items import plain
from loupe.adapters.reviews import review_of
from loupe.adapters.table import COUNT
from loupe.domain.detection import Detection, DetectionState
from loupe.domain.keys import DETECTION_PREFIX, LABELLED_PREFIX, ImageRef
from loupe.domain.labelled_images import LabelledImageStatus, Split
from loupe.domain.review import CLAIM_MINUTES, Review, ReviewState
from loupe.domain.versions import VersionStatus
from tests.faults.people import NOWHERE, Acknowledged, picture_of
from tests.faults.rest import Rest
from tests.stack.conftest import Stack

FINAL = (
    DetectionState.ACCEPTED,
    DetectionState.UNSURE,
    DetectionState.REJECTED,
    DetectionState.FAILED,
    DetectionState.ANSWERED,
)
WORDS = 8
"""So many offenders are named."""

Item = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """Whether a rule holds for what it is about, and what it does not hold for."""

    rule: str
    seen: str
    offenders: list[str]

    def __str__(self) -> str:
        line = f"invariant: {self.rule} … {'FAILED' if self.offenders else 'ok'} ({self.seen})"
        shown = [f"    {offender}" for offender in self.offenders[:WORDS]]
        if len(self.offenders) > WORDS:
            shown.append(f"    and {len(self.offenders) - WORDS} more")
        return "\n".join([line, *shown])


@dataclass
class Found:
    """Everything that a stack at rest holds, read whole: no index and no count is believed."""

    stack: Stack
    rest: Rest
    acknowledged: Acknowledged
    at_work: list[str] = field(default_factory=list)

    @cached_property
    def items(self) -> list[Item]:
        """Every item of the table."""
        resource = self.stack.session.resource(
            "dynamodb", endpoint_url=self.stack.endpoint.url
        ).Table(self.stack.outputs["TableName"])
        pages: list[Item] = []
        query: Item = {"ConsistentRead": True}
        while True:
            page = resource.scan(**query)
            pages += map(plain, page["Items"])
            if "LastEvaluatedKey" not in page:
                return pages
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def kind(self, sk: str) -> list[Item]:
        """The items of a kind."""
        return [item for item in self.items if item["sk"] == sk]

    @cached_property
    def detections(self) -> dict[str, list[Detection]]:
        """Records of uploaded images by the image's id."""
        found: dict[str, list[Detection]] = defaultdict(list)
        for item in self.kind("DETECTION"):
            detection = detection_of(item)
            found[detection.image.id].append(detection)
        return found

    @cached_property
    def reviews(self) -> dict[str, Review]:
        """Reviews by id."""
        return {item["id"]: review_of(item) for item in self.kind("REVIEW")}

    def versions_of(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Every version of every object below a prefix."""
        pages = self.stack.client("s3").get_paginator("list_object_versions")
        bucket = self.stack.outputs["BucketName"]
        for page in pages.paginate(Bucket=bucket, Prefix=prefix):
            yield from page.get("Versions", ())

    @cached_property
    def uploads(self) -> dict[str, ImageRef]:
        """Uploaded images of the bucket by id."""
        bucket = self.stack.outputs["BucketName"]
        found = [
            ImageRef(bucket, v["Key"], v["VersionId"], v["ETag"].strip('"'), v["Size"])
            for v in self.versions_of(DETECTION_PREFIX)
        ]
        return {image.id: image for image in found}

    @cached_property
    def labelled(self) -> dict[str, str]:
        """Current version by key of the labelled images of the bucket."""
        return {
            v["Key"]: v["VersionId"] for v in self.versions_of(LABELLED_PREFIX) if v["IsLatest"]
        }

    @cached_property
    def folders(self) -> dict[str, list[str]]:
        """The labels' folders that hold each picture, one for each object."""
        found: dict[str, list[str]] = defaultdict(list)
        for key in sorted(self.labelled):
            found[picture_of(key)].append(key.split("/")[1])
        return found

    @cached_property
    def statuses(self) -> dict[str, str]:
        """Status of every version as the local Rekognition says."""
        return self.stack.models()

    @cached_property
    def executions(self) -> list[str]:
        return self.rest.running_executions()


Rule = Callable[[Found], tuple[str, Iterable[str]]]
RULES: dict[str, Rule] = {}


def rule(words: str) -> Callable[[Rule], Rule]:
    """Adds a rule: it returns what it looked at, in words, and what does not keep it."""

    def add(found: Rule) -> Rule:
        RULES[words] = found
        return found

    return add


def check(found: Found) -> list[Outcome]:
    """Every rule's outcome."""
    return [Outcome(words, seen, list(bad)) for words, (seen, bad) in _applied(found)]


def _applied(found: Found) -> Iterator[tuple[str, tuple[str, Iterable[str]]]]:
    for words, applies in RULES.items():
        yield words, applies(found)


@rule("the stack comes to rest")
def _rests(found: Found) -> tuple[str, Iterable[str]]:
    return f"{len(found.items)} items", found.at_work


@rule("every acknowledged upload is in the bucket")
def _kept(found: Found) -> tuple[str, Iterable[str]]:
    lost = found.acknowledged.uploads.keys() - found.uploads.keys()
    return f"{len(found.acknowledged.uploads)} uploads", sorted(
        found.acknowledged.uploads[image].key for image in lost
    )


@rule("every image has exactly one record")
def _one_record(found: Found) -> tuple[str, Iterable[str]]:
    bad = [
        f"{image.key} has {len(found.detections.get(identity, ()))}"
        for identity, image in found.uploads.items()
        if len(found.detections.get(identity, ())) != 1
    ]
    bad += [f"{identity} has no object" for identity in found.detections.keys() - found.uploads]
    return f"{len(found.uploads)} images", bad


@rule("every image is in a final state, in review, or waits for a reason that it states")
def _ended(found: Found) -> tuple[str, Iterable[str]]:
    states: Counter[str] = Counter()
    bad = []
    for detection, *_ in found.detections.values():
        states[detection.state] += 1
        if detection.state == DetectionState.REVIEW:
            review = found.reviews.get(detection.review)
            if review is None or review.state not in (
                ReviewState.OPEN,
                ReviewState.QUEUED,
                ReviewState.CONFLICT,
            ):
                bad.append(f"{detection.image.key}: its review is {review and review.state}")
        elif detection.state == DetectionState.WAITING and not detection.reason:
            bad.append(f"{detection.image.key} waits without a reason")
        elif detection.state not in (*FINAL, DetectionState.WAITING):
            bad.append(f"{detection.image.key} is {detection.state}")
    return _words(states), bad


@rule("every acknowledged answer is there, and the image has it")
def _answered(found: Found) -> tuple[str, Iterable[str]]:
    bad = []
    for identity, label in found.acknowledged.answers.items():
        review = found.reviews.get(identity)
        if review is None or review.state != ReviewState.DONE or review.answers[-1].label != label:
            said = review and [answer.label for answer in review.answers]
            bad.append(f"{identity}: {label} is now {review and review.state} {said}")
            continue
        (detection,) = found.detections.get(review.image.id, [None])[:1]
        if detection is None or not detection.labels or detection.labels[0].name != label:
            bad.append(f"{review.image.key} has not got its answer {label}")
    return f"{len(found.acknowledged.answers)} answers", bad


@rule("no label is lost or doubled: the last acknowledged one holds")
def _one_folder(found: Found) -> tuple[str, Iterable[str]]:
    bad = []
    for picture, may in sorted(found.acknowledged.folders.items()):
        folders = found.folders.get(picture, [])
        if len(folders) > 1 or not set(folders or [NOWHERE]) <= may:
            bad.append(f"{picture} is in {folders}, and ought to be in {sorted(may)}")
    unknown = found.folders.keys() - found.acknowledged.folders.keys()
    bad += [f"{picture} is in {found.folders[picture]}, and nobody said so" for picture in unknown]
    return f"{len(found.acknowledged.folders)} pictures", bad


@rule("labelled images are the versions that were acknowledged last")
def _newest(found: Found) -> tuple[str, Iterable[str]]:
    return f"{len(found.acknowledged.contents)} keys", [
        f"{key} is {found.labelled.get(key)}, and ought to be {version}"
        for key, version in found.acknowledged.contents.items()
        if found.labelled.get(key) != version
    ]


@rule("registrations are the bucket's objects with their current versions")
def _registered(found: Found) -> tuple[str, Iterable[str]]:
    known = {
        item["key"]: item["version"]
        for item in found.kind("EXAMPLE")
        if item["status"] in (LabelledImageStatus.REGISTERED, LabelledImageStatus.REJECTED)
    }
    members = Counter(
        (member["key"], member["version"])
        for group in found.kind("GROUP")
        for member in group["members"]
    )
    registered = {
        (item["key"], item["version"])
        for item in found.kind("EXAMPLE")
        if item["status"] == LabelledImageStatus.REGISTERED
    }
    bad = [
        f"{key}: registered {known.get(key)}, in the bucket {found.labelled.get(key)}"
        for key in sorted(known.keys() | found.labelled.keys())
        if known.get(key) != found.labelled.get(key)
    ]
    bad += [f"{key} is a member {members[key, v]} times" for key, v in registered - members.keys()]
    bad += [f"{key} is a member and not registered" for key, v in members.keys() - registered]
    bad += [f"{key} is a member {n} times" for (key, _), n in members.items() if n > 1]
    return f"{len(found.labelled)} labelled images", bad


@rule("counts of labelled images are those of the pictures")
def _label_counts(found: Found) -> tuple[str, Iterable[str]]:
    counted = {
        (label, side): int(n)
        for item in found.kind("COUNTS")
        for label, sides in item["labels"].items()
        for side, n in sides.items()
        if n
    }
    real: Counter[tuple[str, str]] = Counter()
    for group in found.kind("GROUP"):
        labels = {member["label"] for member in group["members"]}
        if group["split"] in (Split.TRAIN, Split.TEST) and len(labels) == 1:
            (label,) = labels
            real[label, group["split"]] += 1
            real[label, "testable"] += group["testable"]
    return (
        f"{sum(n for (_, side), n in real.items() if side in (Split.TRAIN, Split.TEST))} pictures",
        (_differences(counted, +real)),
    )


@rule("counts by state are those of the records")
def _state_counts(found: Found) -> tuple[str, Iterable[str]]:
    counted: Counter[str] = Counter()
    for item in found.items:
        if item["pk"] == "COUNTS":
            for name, number in item.items():
                if name.startswith(COUNT):
                    counted[name.removeprefix(COUNT)] += int(number)
    real: Counter[str] = Counter(
        item["list_state"].lower().replace("#", "_")
        for kind in ("DETECTION", "REVIEW")
        for item in found.kind(kind)
    )
    return f"{real.total()} records", _differences({k: n for k, n in counted.items() if n}, real)


@rule("one version is in service, or none before the first")
def _one_in_service(found: Found) -> tuple[str, Iterable[str]]:
    service = next(iter(found.kind("SERVICE")), {}).get("version", "")
    serving = [
        item["name"] for item in found.kind("VERSION") if item["status"] == VersionStatus.IN_SERVICE
    ]
    bad = [] if serving == [service] * bool(service) else [f"{serving}, and serving is {service!r}"]
    return f"{service or 'none'} of {len(found.kind('VERSION'))} versions", bad


@rule("nothing else runs")
def _nothing_else(found: Found) -> tuple[str, Iterable[str]]:
    service = next(iter(found.kind("SERVICE")), {}).get("version", "")
    bad = [
        f"{name} is {status}"
        for name, status in found.statuses.items()
        if status not in ("STOPPED", "TRAINING_COMPLETED", "TRAINING_FAILED")
        and (name, status) != (service, "RUNNING")
    ]
    return _words(Counter(found.statuses.values())), [*bad, *found.executions]


@rule("no lease, loan or claim without a holder")
def _held(found: Found) -> tuple[str, Iterable[str]]:
    holders = [
        (item["sk"], item["holder"])
        for item in found.items
        if item["sk"] == "LEASE" or (item["sk"] == "LENT" and item["version"])
    ]
    bad = [f"{kind}: {holder}" for kind, holder in holders if holder not in found.executions]
    longest = f"{datetime.now(UTC) + timedelta(minutes=CLAIM_MINUTES):%Y-%m-%dT%H:%M:%S}"
    claims = [
        (review, until) for review in found.reviews.values() for until in review.claims.values()
    ]
    bad += [f"{review.id} is kept until {until}" for review, until in claims if until > longest]
    bad += [
        f"{review.id} is {review.state} and kept"
        for review, _ in claims
        if review.state == ReviewState.DONE
    ]
    return f"{len(holders)} leases, {len(claims)} claims", bad


@rule("acknowledged settings have their values, and schedules follow")
def _settings(found: Found) -> tuple[str, Iterable[str]]:
    values = found.stack.deps.parameters.values()
    bad = [
        f"{name} is {values.get(name)}, and ought to be {sorted(may)}"
        for name, may in found.acknowledged.settings.items()
        if values.get(name) not in may
    ]
    rate = found.stack.client("scheduler").get_schedule(Name=f"{found.stack.name}-sampling")
    minutes = values["Automatic-Human-Sampling-Frequency"]
    if f"({minutes} " not in rate["ScheduleExpression"]:
        bad.append(f"sampling is at {rate['ScheduleExpression']}, and ought to be at {minutes}")
    return f"{len(found.acknowledged.settings)} settings", bad


@rule("queues are empty")
def _empty(found: Found) -> tuple[str, Iterable[str]]:
    queues = found.rest.queues()
    seen = f"{len(queues)} queues, {found.rest.replayed} dead letters brought back"
    return seen, [f"{queue} has {number}" for queue, number in queues.items() if number]


def _differences(counted: Mapping[Any, int], real: Mapping[Any, int]) -> list[str]:
    return [
        f"{name}: counted {counted.get(name, 0)}, there are {real.get(name, 0)}"
        for name in sorted(counted.keys() | real.keys())
        if counted.get(name, 0) != real.get(name, 0)
    ]


def _words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in sorted(counts.items())) or "none"
