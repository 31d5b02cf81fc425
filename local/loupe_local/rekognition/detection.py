"""DetectCustomLabels."""

import base64
import json
import os
import threading
import time
from collections import OrderedDict, defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from loupe_local.http.wire import Json, ServiceError
from loupe_local.objects import Location, NoSuchObjectError, Objects
from loupe_local.rekognition import images
from loupe_local.rekognition.call import Call, invalid
from loupe_local.rekognition.training import MODEL

LIMITED = os.environ.get("LOUPE_LOCAL_THROUGHPUT") == "1"
PER_UNIT = 5
"""Detections a second of one inference unit, where they are limited."""
DEFAULT_THRESHOLD = 0.5
MODELS = 4
PREDICTORS = 2


def detect(call: Call) -> Json:
    """DetectCustomLabels of an image."""
    source = call.input["Image"]
    if ("Bytes" in source) == ("S3Object" in source):
        raise invalid("An image is either Bytes or an S3Object.")
    place = _place(source["S3Object"]) if "S3Object" in source else None
    if place is not None:
        call.caller.require("s3", "s3:GetObject", place.arn)
    version = call.row("version", call.input["ProjectVersionArn"])
    if version["status"] != "RUNNING":
        raise ServiceError(
            "ResourceNotReadyException", f"The model is not running: {version['status']}."
        )
    detector = call.backend.detector
    if LIMITED:
        detector.spend(version["arn"], version["maximum"] or version["minimum"])
    image = _read(call.backend.objects, place) if place else base64.b64decode(source["Bytes"])
    images.check(image, images.S3_LIMIT if place else images.BYTES_LIMIT)
    scores = detector.predict(version["folder"], image)
    thresholds = json.loads(version["result"]).get("thresholds", {})
    return {"CustomLabels": _labels(scores, thresholds, call.input)}


class Detector:
    """Keeps the models that were used last."""

    def __init__(self, models: Path) -> None:
        self._folder = models
        self._threads = ThreadPoolExecutor(PREDICTORS, thread_name_prefix="loupe-predict")
        self._models: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._recent: defaultdict[str, deque[float]] = defaultdict(deque)

    def predict(self, folder: str, image: bytes) -> dict[str, float]:
        """Confidence 0..100 of every label, by the model in `folder`."""
        return self._threads.submit(self._predict, folder, image).result()

    def spend(self, version: str, units: int) -> None:
        """Counts a detection; raises ServiceError when there are too many a second."""
        now = time.monotonic()
        with self._lock:
            recent = self._recent[version]
            while recent and recent[0] <= now - 1:
                recent.popleft()
            if len(recent) >= PER_UNIT * units:
                raise ServiceError(
                    "ProvisionedThroughputExceededException",
                    f"More than {PER_UNIT * units} detections a second.",
                )
            recent.append(now)

    def _predict(self, folder: str, image: bytes) -> dict[str, float]:
        from loupe_local.vision import VisionError  # noqa: PLC0415 (a second, 100 MB: only if used)

        try:
            model = self._model(folder)
        except VisionError as error:
            raise ServiceError("InternalServerError", str(error), 500) from error
        try:
            scores: dict[str, float] = model.predict(image)
        except VisionError as error:
            raise ServiceError("InvalidImageFormatException", str(error)) from error
        return scores

    def _model(self, folder: str) -> Any:
        from loupe_local.vision import Model  # noqa: PLC0415 (as above)

        with self._lock:
            if folder not in self._models:
                self._models[folder] = Model.load(self._folder / folder / MODEL)
                while len(self._models) > MODELS:
                    self._models.popitem(last=False)
            self._models.move_to_end(folder)
            return self._models[folder]


def _read(objects: Objects, place: Location) -> bytes:
    try:
        if objects.size(place) > images.S3_LIMIT:
            raise ServiceError(
                "ImageTooLargeException", f"{place} is larger than {images.S3_LIMIT} bytes."
            )
        return objects.read(place)
    except NoSuchObjectError as error:
        raise ServiceError(
            "InvalidS3ObjectException",
            "Unable to get object metadata from S3. Check object key, region and/or access "
            f"permissions: {place}",
        ) from error


def _place(fields: Json) -> Location:
    try:
        return Location(fields["Bucket"], fields["Name"], fields.get("Version"))
    except KeyError as error:
        raise invalid(f"The S3Object lacks {error}.") from error


def _labels(scores: dict[str, float], thresholds: dict[str, float], asked: Json) -> list[Json]:
    least = asked.get("MinConfidence")
    labels = [
        {"Name": label, "Confidence": round(confidence, 4)}
        for label, confidence in sorted(scores.items(), key=lambda item: (-item[1], item[0]))
        if confidence
        >= (least if least is not None else thresholds.get(label, DEFAULT_THRESHOLD) * 100)
    ]
    return labels[: asked.get("MaxResults", len(labels))]
