"""DetectCustomLabels."""

import base64
import json
import os

from loupe_local.http.wire import Json, ServiceError
from loupe_local.objects import Location, NoSuchObjectError, Objects
from loupe_local.rekognition import images
from loupe_local.rekognition.call import Call, invalid

LIMITED = os.environ.get("LOUPE_LOCAL_THROUGHPUT") == "1"
"""Whether detections a second are limited, as they are on AWS."""
DEFAULT_THRESHOLD = 0.5


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
