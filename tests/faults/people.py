"""What people do with a stack, one request after the other, and what of it was acknowledged."""

import json
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from loupe.domain.keys import DETECTION_PREFIX, LABELLED_PREFIX, NONE_OF_THE_ABOVE, ImageRef
from loupe.domain.versions import VersionStatus
from tests.stack.conftest import Stack
from tests.stack.pictures import digits

LABELS = ("0", "1", "2")
NOWHERE = ""
"""The place of an image that stands in no label's folder."""
SETTINGS = {
    "Maximum-Reviews-Per-Day": ("0", "2000", "3000"),
    "Human-Sampling-Interval": ("1000", "2000", "3000"),
    "Minimum-Label-Detection-Confidence": ("70", "90", "100"),
    "Automatic-Human-Sampling-Frequency": ("720", "900", "1440"),
}
"""Values that an operator sets in the run. None of them stops the work."""
PATIENCE = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)
"""A person sees that a request failed, and sends it again by hand."""


class NoAnswer(Exception):
    """The request may have been carried out, or not."""


@dataclass
class Acknowledged:
    """What was acknowledged, and what may be so because its answer got lost."""

    uploads: dict[str, ImageRef] = field(default_factory=dict)
    """By the image's id."""
    answers: dict[str, str] = field(default_factory=dict)
    """Label by review."""
    folders: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By picture (`p0042`): the one label's folder that it is in, or those that it may be in."""
    contents: dict[str, str] = field(default_factory=dict)
    """By key of a labelled image: the version that was acknowledged last."""
    settings: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By name: the value, or those that it may have."""


@dataclass(frozen=True)
class Act:
    """Something that a person wants. `send` is one request: True when it was acknowledged, False
    when it was refused; it raises NoAnswer otherwise. `intend` notes before it what may be so
    from now on, and `acknowledge` after it what is so."""

    kind: str
    about: str
    send: Callable[[], bool]
    intend: Callable[[], None] = lambda: None
    acknowledge: Callable[[], None] = lambda: None


def picture_of(key: str) -> str:
    """The picture (`p0042`) that an object shows, whatever copies of it are called."""
    return key.rpartition("/")[2].partition(".")[0]


@lru_cache
def _pictures() -> list[bytes]:
    return [image for label in LABELS for image in digits()[int(label)]]


class People:
    """An operator, a consumer and a reviewer in one. All choices are drawn from `dice`."""

    def __init__(self, stack: Stack, dice: random.Random) -> None:
        self.acknowledged = Acknowledged()
        self._stack = stack
        self._dice = dice
        self._numbers = count()
        self._console = self._physical("ServeConsole")
        self._uploads: list[str] = []

    def act(self, kind: str) -> Act:
        """The next act of a kind; an upload where there is nothing to do it with."""
        return getattr(self, kind)() or self.upload()

    def upload(self) -> Act:
        """An image to be read."""
        key = f"{DETECTION_PREFIX}{self._new_name()}"
        body = self._dice.choice(_pictures())
        found: list[ImageRef] = []

        def send() -> bool:
            found.append(self._put(key, body))
            return True

        def acknowledge() -> None:
            self.acknowledged.uploads[found[-1].id] = found[-1]

        return Act("upload", key, send, acknowledge=acknowledge)

    def label(self) -> Act:
        """A new labelled image."""
        label = self._dice.choice(LABELS)
        return self._write(f"{LABELLED_PREFIX}{label}/{self._new_name()}", "label")

    def replace(self) -> Act | None:
        """Another image under the key of a labelled one."""
        key = self._a_labelled_key()
        return self._write(key, "replace") if key else None

    def answer(self) -> Act | None:
        """A reviewer's answer to the next task; now and then that no label fits."""
        try:
            tasks = self._call("POST", "/api/reviews/claim", count=1)[1]["tasks"]
        except NoAnswer:
            return None
        if not tasks:
            return None
        (task,) = tasks
        label = self._dice.choice([*task["labels"], *task["labels"], NONE_OF_THE_ABOVE])
        picture = picture_of(task["image"])
        folder = NOWHERE if label == NONE_OF_THE_ABOVE else label

        def acknowledge() -> None:
            self.acknowledged.answers[task["id"]] = label
            self.acknowledged.folders[picture] = {folder}

        return Act(
            "answer",
            f"{task['id']} {label}",
            lambda: self._accepted("POST", f"/api/reviews/{task['id']}/answer", label=label),
            lambda: self._may(picture, folder, NOWHERE),
            acknowledge,
        )

    def relabel(self) -> Act | None:
        """A labelled image moved to another label."""
        key, label = self._a_labelled_key(), self._dice.choice(LABELS)
        if key is None:
            return None
        return self._move("relabel", key, label, "/api/dataset/relabel", label=label)

    def remove(self) -> Act | None:
        """A labelled image removed."""
        key = self._a_labelled_key()
        return self._move("remove", key, NOWHERE, "/api/dataset/remove") if key else None

    def setting(self) -> Act:
        """A setting changed."""
        name = self._dice.choice(sorted(SETTINGS))
        value = self._dice.choice(SETTINGS[name])

        def acknowledge() -> None:
            self.acknowledged.settings[name] = {value}

        return Act(
            "setting",
            f"{name}={value}",
            lambda: self._accepted("PUT", f"/api/settings/{name}", value=value),
            lambda: self.acknowledged.settings[name].add(value),
            acknowledge,
        )

    def train(self) -> Act:
        """A training check, which trains, compares and promotes where there is enough new."""
        return Act("train", "", lambda: self._accepted("POST", "/api/models/train", again=True))

    def rollback(self) -> Act | None:
        """An earlier version put back into service."""
        versions = [
            v.name for v in self._stack.deps.versions.newest() if v.status == VersionStatus.REPLACED
        ]
        if not versions:
            return None
        name = self._dice.choice(sorted(versions))
        return Act(
            "rollback", name, lambda: self._accepted("POST", "/api/models/rollback", version=name)
        )

    def _move(self, kind: str, key: str, folder: str, path: str, **body: Any) -> Act | None:
        example = self._stack.deps.dataset.labelled_image(key)
        if example is None or example.label == folder:
            return None
        picture = picture_of(key)

        def send() -> bool:
            status, answer = self._call("POST", path, ids=[example.id], **body)
            return status < 300 and answer["done"] == 1

        def acknowledge() -> None:
            self.acknowledged.folders[picture] = {folder}
            self.acknowledged.contents.pop(key, None)

        def intend() -> None:
            self._may(picture, folder)
            self.acknowledged.contents.pop(key, None)

        return Act(kind, f"{key} {folder}", send, intend, acknowledge)

    def _write(self, key: str, kind: str) -> Act:
        body, picture = self._dice.choice(_pictures()), picture_of(key)
        folder = key.split("/")[1]
        found: list[ImageRef] = []

        def send() -> bool:
            found.append(self._put(key, body))
            return True

        def intend() -> None:
            self._may(picture, folder, *(() if kind == "replace" else (NOWHERE,)))
            self.acknowledged.contents.pop(key, None)

        def acknowledge() -> None:
            self.acknowledged.folders[picture] = {folder}
            self.acknowledged.contents[key] = found[-1].version

        return Act(kind, key, send, intend, acknowledge)

    def _may(self, picture: str, *folders: str) -> None:
        """`picture` is in one of `folders` from now on, or where it was."""
        known = self.acknowledged.folders[picture]
        known.update(folders if not known else folders[:1])

    def _a_labelled_key(self) -> str | None:
        """One of the labelled images that stand in the bucket."""
        s3, bucket = self._stack.client("s3"), self._stack.outputs["BucketName"]
        try:
            page = s3.list_objects_v2(Bucket=bucket, Prefix=LABELLED_PREFIX)
        except (BotoCoreError, ClientError):
            return None
        keys = [found["Key"] for found in page.get("Contents", ())]
        return self._dice.choice(keys) if keys else None

    def _new_name(self) -> str:
        return f"p{next(self._numbers):04d}.png"

    def _put(self, key: str, body: bytes) -> ImageRef:
        s3, bucket = self._client("s3"), self._stack.outputs["BucketName"]
        try:
            made = s3.put_object(Bucket=bucket, Key=key, Body=body)
        except (BotoCoreError, ClientError) as error:
            raise NoAnswer(str(error)) from error
        return ImageRef(bucket, key, made["VersionId"], made["ETag"].strip('"'), len(body))

    def _accepted(self, method: str, path: str, **body: Any) -> bool:
        return self._call(method, path, **body)[0] < 300

    def _call(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        """A request of the console's page: status below 500 and answer, or NoAnswer."""
        try:
            answer = self._client("lambda").invoke(
                FunctionName=self._console, Payload=json.dumps(_request(method, path, body))
            )
            answer = json.loads(answer["Payload"].read())
        except (BotoCoreError, ClientError, ValueError) as error:
            raise NoAnswer(str(error)) from error
        if "FunctionError" in answer or answer["statusCode"] >= 500:
            raise NoAnswer(str(answer))
        return answer["statusCode"], json.loads(answer["body"])

    def _client(self, service: str) -> Any:
        return self._stack.session.client(  # type: ignore[call-overload]
            service, endpoint_url=self._stack.endpoint.url, config=PATIENCE
        )

    def _physical(self, logical_id: str) -> str:
        found = self._stack.client("cloudformation").describe_stack_resource(
            StackName=self._stack.name, LogicalResourceId=logical_id
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])


def _request(method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """An API Gateway event of somebody who has every role."""
    claims = {"cognito:username": "ann", "cognito:groups": "[operator consumer reviewer]"}
    return {
        "version": "2.0",
        "routeKey": "ANY /api/{proxy+}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {
            "authorizer": {"jwt": {"claims": claims}},
            "http": {"method": method, "path": path},
            "stage": "$default",
        },
    }
