"""Looks for uploads that have no record, as after a crash of this machine, and queues them again.

In AWS an acknowledged upload has its event; the embedded stack may lose the events of its last
seconds when it is killed, though never the upload itself.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from loupe.adapters.queue import as_event
from loupe.domain.detection import DetectionState
from loupe.domain.keys import (
    DETECTION_PREFIX,
    LABELLED_PREFIX,
    REVIEW_PREFIX,
    ImageRef,
    is_folder_marker,
    timestamp,
)
from loupe.domain.review import ReviewState
from loupe_cli.target import Target


@dataclass(frozen=True)
class Recovered:
    """How many of each had no record."""

    images: int
    labelled: int
    answers: int


@dataclass(frozen=True)
class Arrival:
    """A version of an object, and when it arrived."""

    image: ImageRef
    at: str


def recover(target: Target) -> Recovered:
    """Queue again whatever has arrived and has no record yet."""
    images = [one for one in _versions(target, DETECTION_PREFIX) if not _read(target, one.image)]
    labelled = [
        one for one in _versions(target, LABELLED_PREFIX) if not _has_record(target, one.image)
    ]
    answers = [one for one in _versions(target, REVIEW_PREFIX) if _open(target, one.image)]
    _send(target, "DetectionQueue", images)
    _send(target, "RegistrationQueue", labelled)
    _send(target, "ReviewQueue", answers)
    return Recovered(len(images), len(labelled), len(answers))


def _read(target: Target, image: ImageRef) -> bool:
    """An image that waits without a reason was being read when the machine stopped."""
    detection = target.deps.detections.get(image.id)
    if detection is None:
        return False
    return detection.state != DetectionState.WAITING or bool(detection.reason)


def _has_record(target: Target, image: ImageRef) -> bool:
    return target.deps.dataset.labelled_image(image.key) is not None


def _open(target: Target, image: ImageRef) -> bool:
    """Whether the answers in this `output.json` were not taken in."""
    loop = image.key.split("/")[-2]
    review = target.deps.reviews.find(loop)
    return review is not None and review.state == ReviewState.CLOSING


def _versions(target: Target, prefix: str) -> Iterator[Arrival]:
    bucket = target.outputs["BucketName"]
    pages = target.client("s3").get_paginator("list_object_versions")
    for page in pages.paginate(Bucket=bucket, Prefix=prefix):
        for version in page.get("Versions", ()):
            if not is_folder_marker(version["Key"], version["Size"]):
                yield Arrival(_image(bucket, version), timestamp(version["LastModified"]))


def _image(bucket: str, listed: dict[str, Any]) -> ImageRef:
    version = listed.get("VersionId", "")
    return ImageRef(
        bucket=bucket,
        key=listed["Key"],
        version="" if version == "null" else version,
        etag=listed["ETag"].strip('"'),
        size=listed["Size"],
    )


def _send(target: Target, logical_id: str, arrivals: list[Arrival]) -> None:
    if not arrivals:
        return
    resource = target.client("cloudformation").describe_stack_resource(
        StackName=target.name, LogicalResourceId=logical_id
    )
    url = resource["StackResourceDetail"]["PhysicalResourceId"]
    sqs = target.client("sqs")
    for one in arrivals:
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(as_event(one.image, one.at)))
