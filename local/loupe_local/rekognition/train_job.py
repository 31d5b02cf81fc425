"""One training: `python -m loupe_local.rekognition.train_job FOLDER ENDPOINT`."""

import json
import logging
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from loupe_local import credentials, vision
from loupe_local.http.wire import Json, ServiceError
from loupe_local.objects import Location, NoSuchObjectError, Objects
from loupe_local.rekognition import checks, images, rights
from loupe_local.rekognition.manifest import Entry
from loupe_local.rekognition.summary import evaluation_summary
from loupe_local.rekognition.training import JOB, MODEL, RESULT, TEST, TRAIN

logger = logging.getLogger("loupe.train_job")

READERS = 4


def main() -> None:
    """Trains, and leaves a model and a result, or a result that says why not."""
    folder, endpoint = Path(sys.argv[1]), sys.argv[2]
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    try:
        result = train(folder, Objects(endpoint, credentials.of(os.environ)))
    except checks.UntrainableError as error:
        result = {"failure": str(error)}
    partial = folder / f"{RESULT}.partial"
    partial.write_text(json.dumps(result))
    partial.replace(folder / RESULT)


def train(folder: Path, objects: Objects) -> Json:
    """The result of a training whose folder is laid out."""
    began = time.time()
    job = json.loads((folder / JOB).read_text())
    if lack := job.get("lack"):
        raise checks.UntrainableError(rights.incorrect(lack))
    training, testing = _materials(folder, job["split"])
    checks.check(training, testing)
    train_images = _read(training, objects, "training")
    test_images = _read(testing, objects, "test")
    try:
        model = vision.train(
            [vision.Example(image, entry.labels[0]) for entry, image in train_images],
            [vision.Example(image, entry.labels[0]) for entry, image in test_images],
            progress=lambda share, text: logger.info("%3.0f %% %s", share * 100, text),
        )
    except vision.VisionError as error:
        raise checks.UntrainableError(str(error)) from error
    model.save(folder / MODEL)
    return _publish(job, model, train_images, test_images, objects) | {
        "seconds": max(1, round(time.time() - began))
    }


Read = list[tuple[Entry, bytes]]


def _materials(folder: Path, split: bool) -> tuple[checks.Material, checks.Material]:
    training = checks.read((folder / TRAIN).read_text(), "training")
    if split:
        return checks.split(training)
    return training, checks.read((folder / TEST).read_text(), "test")


def _read(material: checks.Material, objects: Objects, name: str) -> Read:
    """The images of a side; those that cannot be used count as invalid lines."""
    with ThreadPoolExecutor(READERS) as threads:
        # The same images make the same model, in whatever order and bucket they are given.
        entries = sorted(material.entries, key=lambda entry: (entry.location.key, entry.source))
        contents = list(threads.map(lambda entry: _image(entry, objects), entries))
    faults = [fault for fault in contents if isinstance(fault, str)]
    invalid = len(faults) + len(material.invalid)
    example = faults[0] if faults else ""
    checks.refuse_invalid(invalid, len(contents) + len(material.invalid), name, example)
    for fault in faults:
        logger.warning("%s: %s", name, fault)
    pairs = zip(entries, contents, strict=True)
    usable = [(entry, image) for entry, image in pairs if isinstance(image, bytes)]
    missing = material.labels - {entry.labels[0] for entry, _ in usable}
    if missing and name == "training":
        raise checks.UntrainableError(f"No usable training image is left for {', '.join(missing)}.")
    return usable


def _image(entry: Entry, objects: Objects) -> bytes | str:
    try:
        image = objects.read(entry.location)
        images.check(image, images.S3_LIMIT)
    except NoSuchObjectError:
        return f"{entry.source} does not exist"
    except ServiceError as error:
        return f"{entry.source}: {error.message}"
    return image


def _publish(job: Json, model: vision.Model, train: Read, test: Read, objects: Objects) -> Json:
    """Writes what the service writes to the bucket of OutputConfig."""
    stem = f"{job['project']}-{job['name']}"
    prefix = job["prefix"] + ("/" if job["prefix"] and not job["prefix"].endswith("/") else "")

    def put(name: str, text: str, content: str) -> Json:
        key = f"{prefix}{name}"
        try:
            objects.write(Location(job["bucket"], key), text.encode(), content)
        except NoSuchObjectError as error:
            raise checks.UntrainableError(f"The results cannot be written to {error}.") from error
        return {"S3Object": {"Bucket": job["bucket"], "Name": key}}

    def snapshot(side: str, entries: Iterable[Entry]) -> Json:
        lines = "".join(entry.line + "\n" for entry in entries)
        name = f"EvaluationManifest-{stem}/{side}.manifest"
        return {"Assets": [{"GroundTruthManifest": put(name, lines, "application/jsonlines")}]}

    lines = "".join(
        json.dumps({"source-ref": entry.source, "confidences": confidences}) + "\n"
        for (entry, _), confidences in zip(train, model.held_out, strict=True)
    )
    held_out = put(f"HeldOut-{stem}.jsonl", lines, "application/jsonlines")["S3Object"]["Name"]
    summary = evaluation_summary(job["arn"], model, len(train), test, held_out)
    place = put(f"EvaluationResultSummary-{stem}.json", json.dumps(summary), "application/json")
    return {
        "evaluation": {"F1Score": model.evaluation.f1, "Summary": place},
        "train": snapshot("train", (entry for entry, _ in train)),
        "test": snapshot("test", (entry for entry, _ in test)),
        "thresholds": {
            label: metrics.threshold for label, metrics in model.evaluation.labels.items()
        },
    }


if __name__ == "__main__":
    main()
