"""What tests of adapters and handlers work with: a stack in memory, a clock, and small fakes."""

import json
import random
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any

import boto3
from PIL import Image

from loupe.adapters.rekognition import DatasetState, VersionState
from loupe.adapters.table import Table
from loupe.domain.detection import Detection, DetectionState, Label, ModelOutput
from loupe.domain.fingerprint import thumbnail
from loupe.domain.human_loops import LoopState
from loupe.domain.keys import ImageRef
from loupe.domain.settings import CATALOGUE, Settings
from loupe.domain.versions import Version, VersionStatus
from loupe.errors import AlreadyDone, LoupeError, NotFound, ServiceRefused, TryAgain, UnusableImage
from loupe.services.detection import receive, record
from loupe.services.labelled_images import reconcile
from loupe.services.review_answers import record_answers
from loupe.services.review_desk import answer
from loupe.services.reviews import request_review
from loupe.services.serving import promote
from loupe.wiring import Deps
from tests.template.reading import STACK, properties

PROJECT = f"arn:aws:rekognition:us-east-1:123456789012:project/{STACK}/1"
BUCKET = "loupe-images"
TABLE = "loupe-table"
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


@cache
def session() -> boto3.session.Session:
    """One session for all tests: reading botocore's models takes long."""
    return boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
    )


@cache
def client(service: str) -> Any:
    """One client of a service for all tests, as in a warm function."""
    return session().client(service)  # type: ignore[call-overload]


@cache
def table_resource() -> Any:
    """The table, in the same way."""
    return session().resource("dynamodb").Table(TABLE)


class ClockedDeps(Deps):
    """Dependencies whose clock goes on by a second with every look at it."""

    now = START

    def client(self, service: str, **options: Any) -> Any:
        return super().client(service, **options) if options else client(service)

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class FakeExecutions:
    """Runs of state machines, by hand."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, Mapping[str, Any]]] = []
        self.started: list[str] = []
        self.answered: list[str] = []
        self.running: set[str] = set()
        self.error: LoupeError | None = None

    def run(self, machine_arn: str, name: str, payload: Mapping[str, Any]) -> None:
        if self.error:
            raise self.error
        self.runs.append((name, payload))

    def start(self, machine_arn: str, payload: Mapping[str, Any]) -> str:
        self.started.append(machine_arn)
        return f"{machine_arn}:{len(self.started)}"

    def answer(self, token: str, output: Mapping[str, Any]) -> None:
        if token in self.answered:
            raise AlreadyDone("Nothing waits for this answer any more.")
        self.answered.append(token)

    def is_running(self, execution_arn: str) -> bool:
        return execution_arn in self.running


class FakeEventSource:
    """The concurrency of an event source."""

    def __init__(self) -> None:
        self.concurrency = 5

    def apply_concurrency(self, wanted: int) -> bool:
        changed = wanted != self.concurrency
        self.concurrency = wanted
        return changed


class FakeLoops:
    """Human loops of Amazon A2I."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.stopped: list[str] = []
        self.ended: set[str] = set()
        self.states: dict[str, LoopState] = {}
        self.looked_at: list[str] = []
        self.refuses = False

    def start(self, review: Any, name: str) -> None:
        if self.refuses:
            raise TryAgain("Amazon A2I: ThrottlingException")
        self.started.append(name)

    def stop(self, name: str) -> None:
        self.stopped.append(name)

    def is_open(self, name: str) -> bool:
        return name not in self.ended

    def state(self, name: str) -> LoopState:
        self.looked_at.append(name)
        return self.states.get(name, LoopState("InProgress"))


class FakeRekognition:
    """The adapter's methods over plain state. `answers` says what a version sees, by key."""

    def __init__(self) -> None:
        self.datasets: dict[str, DatasetState] = {}
        self.states: dict[str, VersionState] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.answers: Callable[[str, ImageRef], Sequence[Label]] = lambda _arn, _image: ()
        self.training_error: LoupeError | None = None
        self.refuses_to_start = ""

    def detect(self, version_arn: str, image: ImageRef) -> tuple[Label, ...]:
        self.calls.append(("detect", version_arn, image.key))
        return tuple(self.answers(version_arn, image))

    def dataset(self, split: str) -> DatasetState:
        return self.datasets.get(split, DatasetState(""))

    def create_dataset(self, split: str, bucket: str, manifest_key: str) -> None:
        self.calls.append(("create", split, manifest_key))
        self.datasets[split] = DatasetState("CREATE_COMPLETE", f"arn:{split}")

    def update_dataset(self, dataset_arn: str, batch: bytes) -> None:
        self.calls.append(("update", dataset_arn, batch))

    def delete_dataset(self, dataset_arn: str) -> None:
        self.calls.append(("delete", dataset_arn))
        self.datasets.pop(dataset_arn.removeprefix("arn:"))

    def train(self, version: str, bucket: str) -> str:
        self.calls.append(("train", version))
        if self.training_error:
            raise self.training_error
        self.states[version] = VersionState("TRAINING_IN_PROGRESS", f"arn:{version}")
        return f"arn:{version}"

    def version(self, name: str) -> VersionState:
        return self.states.get(name, VersionState(""))

    def versions(self) -> list[tuple[str, VersionState]]:
        return list(self.states.items())

    def start(self, version_arn: str, minimum_units: int, maximum_units: int) -> None:
        self.calls.append(("start", version_arn, minimum_units, maximum_units))
        if self.refuses_to_start:
            raise ServiceRefused(self.refuses_to_start)
        self.become(version_arn.removeprefix("arn:"), "STARTING")

    def stop(self, version_arn: str) -> None:
        self.calls.append(("stop", version_arn))
        self.become(version_arn.removeprefix("arn:"), "STOPPING")

    def become(self, version: str, status: str, f1: float | None = None) -> None:
        """Let a version reach a state."""
        before = self.states.get(version, VersionState("", f"arn:{version}"))
        self.states[version] = replace(before, status=status, f1=f1 or before.f1)


class World:
    """The stack in memory. `deps` is what handlers get."""

    def __init__(self) -> None:
        self.s3 = self.client("s3")
        self._make_bucket()
        self._make_table()
        self._has_parameters = False
        queue, review_queue = map(self._make_queue, ("DetectionQueue", "ReviewQueue"))
        self.executions = FakeExecutions()
        self.rekognition = FakeRekognition()
        self.event_source = FakeEventSource()
        self.loops = FakeLoops()
        self.deps = ClockedDeps(
            {
                "LOUPE_STACK": STACK,
                "LOUPE_BUCKET": BUCKET,
                "LOUPE_TABLE": TABLE,
                "LOUPE_PROJECT": PROJECT,
                "LOUPE_A2I_FLOW": "",
                "LOUPE_DETECTION_QUEUE": queue,
                "LOUPE_REVIEW_QUEUE": review_queue,
                "LOUPE_DETECT_MACHINE": "arn:detect",
                "LOUPE_IMPROVE_MACHINE": "arn:improve",
                "LOUPE_USER_POOL_CLIENT": "client",
                "LOUPE_TRAINING_SCHEDULE": f"{STACK}-training",
                "LOUPE_SAMPLING_SCHEDULE": f"{STACK}-sampling",
            },
            session(),
        )
        self.use(
            executions=self.executions,
            rekognition=self.rekognition,
            event_source=self.event_source,
            loops=None,
            table=Table(table_resource()),
        )

    def client(self, service: str) -> Any:
        """A client of the stack in memory."""
        return client(service)

    def use(self, **fakes: Any) -> None:
        """Put something in the place of an adapter."""
        vars(self.deps).update(fakes)

    # Made from the template

    def _make_bucket(self) -> None:
        found = properties("Bucket")
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_bucket_versioning(
            Bucket=BUCKET, VersioningConfiguration=found["VersioningConfiguration"]
        )

    def _make_table(self) -> None:
        found = properties("Table")
        kept = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        self.client("dynamodb").create_table(
            TableName=TABLE,
            StreamSpecification={"StreamEnabled": True, **found["StreamSpecification"]},
            **{name: found[name] for name in kept},
        )

    def _make_queue(self, logical_id: str) -> str:
        found = properties(logical_id)
        kept = ("VisibilityTimeout", "MessageRetentionPeriod")
        made = self.client("sqs").create_queue(
            QueueName=logical_id, Attributes={name: str(found[name]) for name in kept}
        )
        return str(made["QueueUrl"])

    def make_parameters(self) -> None:
        """Only when they are changed: missing ones count with their default, and it is slow."""
        self._has_parameters = True
        ssm = self.client("ssm")
        for known in CATALOGUE:
            logical_id = "".join(_word(part) for part in known.name.split("-")) + "Setting"
            found = properties(logical_id)
            kept = ("Name", "Type", "Value", "AllowedPattern", "Description")
            ssm.put_parameter(**{name: found[name] for name in kept})

    # What people and services do

    def set(self, **values: str) -> None:
        """Change settings: `Minimum_F1_Score="0.5"`."""
        if not self._has_parameters:
            self.make_parameters()
        for name, value in values.items():
            self.deps.parameters.set(name.replace("_", "-"), value)

    def settings(self) -> Settings:
        return self.deps.parameters.settings()

    def put(self, key: str, body: bytes, **metadata: str) -> ImageRef:
        """Upload an object and return the version that was made."""
        made = self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, Metadata=metadata)
        return ImageRef(BUCKET, key, made["VersionId"], made["ETag"].strip('"'), len(body))

    def remove(self, key: str) -> None:
        self.s3.delete_object(Bucket=BUCKET, Key=key)

    def keys(self, prefix: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [each["Key"] for each in found.get("Contents", ())]

    # Steps of the workflow

    def received(self, name: str = "a b+ü.png", picture: int = 0) -> ImageRef:
        """An uploaded image that has a record."""
        image = self.put(f"images_for_detection/{name}", png(picture))
        receive(image, "", self.deps)
        return image

    def asked(
        self, *labels: Label, name: str = "a b+ü.png", version: str = "", picture: int = 0
    ) -> str:
        """An uploaded image that is in review; returns the review's id."""
        image = self.received(name, picture)
        outcome = ModelOutput("labels", labels, version) if version else ModelOutput("no_model")
        outcome = replace(outcome, thumbnail=thumbnail_of(picture))
        request_review(image.id, outcome, self.settings(), self.deps)
        return self.detection(image).review

    def accepted(self, name: str, version: str = "v1", label: str = "cat") -> ImageRef:
        """An uploaded image that the model was sure of."""
        image = self.received(name)
        answer = ModelOutput("labels", (Label(label, 90.0),), version)
        record(image.id, DetectionState.ACCEPTED, answer, "", self.deps)
        return image

    def answered(self, review: str, *labels: str) -> ImageRef:
        """People's answers to a review; returns the output that was written."""
        for number, label in enumerate(labels):
            answer(review, f"person {number}", label, self.deps)
        return self.output(review)

    def answered_once(self, review: str) -> None:
        """One person's answer to a review that asks for more."""
        answer(review, "ada", "cat", self.deps)

    def output(self, review: str) -> ImageRef:
        """The newest `output.json` of a review."""
        (key,) = [k for k in self.keys("a2i-human-loop-data/") if f"/{review}/" in k]
        return self.deps.objects.current(key).image

    def taken_in(self, output: ImageRef) -> None:
        record_answers(output, self.deps)

    def labelled(self, label: str, name: str, picture: int, **metadata: str) -> str:
        """A labelled image that is registered; returns its key."""
        key = f"images_labeled_by_folder/{label}/{name}"
        self.put(key, png(picture), **metadata)
        reconcile(key, self.deps)
        return key

    def version(
        self, name: str = "v1", status: VersionStatus = VersionStatus.IN_SERVICE, **more: Any
    ) -> Version:
        """A version that the table knows."""
        made = Version(name, status, "2026-01-01T00:00:00.000Z", ("cat", "dog"), **more)
        self.deps.versions.begin(made, int(name.removeprefix("v")) - 1)
        return made

    def in_service(self) -> None:
        """Version v1 in service; whether it runs is still to be said."""
        self.version("v1", arn="arn:v1")
        promote("v1", "it is good", self.deps)

    # What came of it

    def detection(self, image: ImageRef) -> Detection:
        found = self.deps.detections.get(image.id)
        assert found is not None
        return found

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        """Events that were written, oldest first."""
        found = self.deps.table.listing("EVENT", newest_first=False)
        return [event for event in found if kind in ("", event["type"])]

    def queued(self, queue: str = "DETECTION_QUEUE") -> list[dict[str, Any]]:
        """Messages of a queue."""
        received = self.client("sqs").receive_message(
            QueueUrl=self.deps.value(queue), MaxNumberOfMessages=10
        )
        return [json.loads(message["Body"]) for message in received.get("Messages", ())]


def _word(part: str) -> str:
    return part[0].upper() + part[1:] if part != "A2I" else "A2i"


def s3_event(image: ImageRef, kind: str = "Object Created") -> dict[str, Any]:
    """What EventBridge delivers for an object."""
    found = {"key": image.key, "size": image.size, "etag": image.etag, "version-id": image.version}
    return {
        "source": "aws.s3",
        "detail-type": kind,
        "detail": {"bucket": {"name": image.bucket}, "object": found},
    }


def message(body: Any) -> str:
    """The body of a message as a queue holds it."""
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)


def sqs_event(*bodies: Any) -> dict[str, Any]:
    """A batch of messages; their ids count from 0."""
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return {
        "Records": [
            {"messageId": str(n), "body": text, "eventSource": "aws:sqs"}
            for n, text in enumerate(texts)
        ]
    }


def image_json(image: ImageRef) -> dict[str, Any]:
    """An image as the state machines hand it over."""
    return asdict(image)


@cache
def picture(number: int) -> Image.Image:
    """Pictures that nobody would take for each other, one for each number."""
    dice = random.Random(number)
    spots = Image.frombytes("RGB", (4, 3), dice.randbytes(4 * 3 * 3))
    return spots.resize((160, 120), Image.Resampling.BICUBIC)


@cache
def png(number: int) -> bytes:
    """Picture `number` as PNG."""
    buffer = BytesIO()
    picture(number).save(buffer, "PNG")
    return buffer.getvalue()


@cache
def thumbnail_of(number: int) -> str:
    """What a review holds of picture `number`."""
    return b64encode(thumbnail(png(number))).decode()


@cache
def jpeg(number: int, side: int = 160) -> bytes:
    """Picture `number` again: re-encoded and resized."""
    buffer = BytesIO()
    again = picture(number).resize((side, side * 3 // 4))
    again.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def unusable(_arn: str, _image: ImageRef) -> Sequence[Label]:
    """An answer of a model that cannot read the image."""
    raise UnusableImage("it is not in the bucket any more, or cannot be read")


def gone(_arn: str, _image: ImageRef) -> Sequence[Label]:
    """An answer of a model that does not exist."""
    raise NotFound("ResourceNotFoundException: the version is gone")
