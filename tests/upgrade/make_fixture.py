"""Uses a stack of release 0.1.0 and keeps what it has written; README.md says how to run it.

It runs with the code of that release: nothing here may need a later one.
"""

import base64
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from loupe_cli.target import EMBEDDED, Target

SETTINGS = {
    "Enable-Automatic-Training": "false",
    "Enable-Automatic-Human-Sampling": "false",
    "Minimum-F1-Score": "0.5",
    "Minimum-Untrained-Images": "7",
    "Minimum-Label-Detection-Confidence": "85.5",
    "Reviewers-Per-Image": "2",
    "Labels": "zero,one",
}


def digit(value: int, number: int) -> bytes:
    """A scan of a handwritten digit, 64 px wide, as small as the service takes."""
    data = load_digits()
    scan = data.images[data.target == value][number]
    gray = (255 - scan * 255 / 16).astype(np.uint8)
    return png(Image.fromarray(gray).resize((64, 64), Image.Resampling.BICUBIC))


def noise(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (6, 6, 3)).astype(np.uint8)
    return png(Image.fromarray(pixels).resize((66, 66), Image.Resampling.NEAREST))


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def until(done: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 300
    while not (value := done()):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    return value


class Session:
    """What a team does with a stack."""

    def __init__(self) -> None:
        self.target = Target(EMBEDDED)
        self.deps = self.target.deps
        self.bucket = self.target.outputs["BucketName"]

    def put(self, key: str, body: bytes) -> None:
        self.target.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)

    def state(self, name: str) -> str:
        found = [d for d in self.deps.detections.newest() if d.image.name == name]
        return found[0].state if found else ""

    def review(self, name: str) -> str:
        """The id of the open review of an image, once there is one."""
        return str(
            until(
                lambda: next(
                    (r.id for r in self.deps.reviews.unanswered() if r.image.name == name), None
                )
            )
        )

    def answer(self, name: str, *labels: str) -> None:
        review = self.review(name)
        for worker, label in zip(("ann", "bob"), labels, strict=False):
            payload = {"review": review, "worker": worker, "label": label}
            answered = self.target.invoke("AnswerReviewFunction", payload)
            assert "error" not in answered, answered

    def examples(self) -> int:
        return sum(1 for _ in self.deps.dataset.labelled_images())


def use(session: Session) -> None:
    for name, value in SETTINGS.items():
        session.deps.parameters.set(name, value)
    # Before the first model: people name what they see.
    for cold in range(3):
        session.put(f"images_for_detection/cold {cold}.png", digit(1, 40 + cold))
    session.answer("cold 0.png", "one", "one")
    session.answer("cold 1.png", "none of the above", "none of the above")
    until(lambda: session.state("cold 1.png") == "answered" and session.examples() >= 1)
    for pictured, label in ((0, "zero"), (1, "one"), (7, "seven ü")):
        for number in range(6):
            session.put(f"images_labeled_by_folder/{label}/{number}.png", digit(pictured, number))
    session.put("images_labeled_by_folder/one/again.png", digit(1, 0))
    session.put("images_labeled_by_folder/one/notes.txt", b"no image")
    until(lambda: session.examples() >= 21)
    session.put("images_labeled_by_folder/zero/conflict.png", digit(1, 3))
    until(lambda: session.examples() >= 22)
    session.target.client("s3").delete_object(
        Bucket=session.bucket, Key="images_labeled_by_folder/zero/5.png"
    )
    until(lambda: len(list(session.deps.dataset.labelled_images("removed"))) == 1)
    execution = session.target.improve({})
    until(lambda: not session.deps.executions.is_running(execution))
    assert session.deps.versions.service().version == "v1", next(session.deps.versions.newest())
    for number in range(4):
        session.put(f"images_for_detection/sure {number}.png", digit(0, 30 + number))
        session.put(f"images_for_detection/unsure {number}.png", noise(number))
    session.put("images_for_detection/no image.png", b"this is no image")
    names = [f"{kind} {n}.png" for kind in ("sure", "unsure") for n in range(4)] + ["no image.png"]
    until(lambda: all(session.state(name) not in ("", "waiting") for name in names))
    session.deps.parameters.set("Enable-A2I-Workflow", "false")
    session.put("images_for_detection/not asked.png", noise(20))
    until(lambda: session.state("not asked.png") == "unsure")
    session.deps.parameters.set("Enable-A2I-Workflow", "true")
    session.deps.parameters.set("Human-Sampling-Interval", "2")
    session.target.invoke("SampleReviewsFunction", {})
    session.answer("unsure 0.png", "zero", "zero")
    session.answer("unsure 1.png", "zero", "one")
    session.answer("unsure 2.png", "none of the above", "none of the above")
    session.answer("unsure 3.png", "zero")
    until(lambda: next(session.deps.reviews.newest("conflict"), None))
    until(lambda: session.state("unsure 2.png") == "answered")
    execution = session.target.improve({})
    until(lambda: not session.deps.executions.is_running(execution))
    session.put("images_labeled_by_folder/zero/after v1.png", digit(0, 60))
    before = session.examples
    until(lambda: before() >= 23)
    time.sleep(5)


def json_of(value: Any) -> Any:
    return {"base64": base64.b64encode(bytes(value)).decode()}


def keep(session: Session, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    dynamodb = session.target.client("dynamodb")
    pages = dynamodb.get_paginator("scan").paginate(TableName=session.target.outputs["TableName"])
    items = [item for page in pages for item in page["Items"]]
    items.sort(key=lambda item: (item["pk"]["S"], item["sk"]["S"]))
    lines = (
        json.dumps(item, default=json_of, ensure_ascii=False, sort_keys=True) for item in items
    )
    (folder / "items.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = json.dumps(session.deps.parameters.values(), ensure_ascii=False, indent=1)
    (folder / "settings.json").write_text(settings + "\n", encoding="utf-8")
    s3 = session.target.client("s3")
    objects = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=session.bucket):
        for found in page.get("Contents", []):
            got = s3.get_object(Bucket=session.bucket, Key=found["Key"])
            objects[found["Key"]] = {
                "metadata": got["Metadata"],
                "version": got.get("VersionId", ""),
                "body": base64.b64encode(got["Body"].read()).decode(),
            }
    outputs = {"bucket": session.bucket, "table": session.target.outputs["TableName"]}
    text = json.dumps({"outputs": outputs, "objects": objects}, ensure_ascii=False, indent=0)
    (folder / "bucket.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    its = Session()
    if "--keep-only" not in sys.argv:
        use(its)
    keep(its, Path(sys.argv[1]))
