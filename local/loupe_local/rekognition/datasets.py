"""CreateDataset, DescribeDataset, UpdateDatasetEntries, ListDataset…, DeleteDataset."""

import base64
import json
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from loupe_local.http.wire import Json, ServiceError
from loupe_local.objects import Location, NoSuchObjectError
from loupe_local.rekognition import manifest, rights
from loupe_local.rekognition.call import Call, arn, in_use, invalid
from loupe_local.rekognition.clock import DATASET_DELAY, due

CHANGE_LIMIT = 5 * 1024 * 1024
BUSY = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")


def create(call: Call) -> Json:
    """CreateDataset: empty, from a manifest, or as a copy."""
    project = call.row("project", call.input["ProjectArn"])
    kind = call.input["DatasetType"]
    lines = list(_source(call))
    source = call.input.get("DatasetSource") or {}
    manifests = [manifest_place(source)] if "GroundTruthManifest" in source else []
    lack = rights.lacking(call.caller, [*manifests, *image_places(lines)])
    with call.database.change():
        query = "SELECT 1 FROM dataset WHERE project = ? AND kind = ?"
        if call.database.row(query, project["arn"], kind):
            raise ServiceError(
                "ResourceAlreadyExistsException", f"The project has a {kind} dataset already."
            )
        dataset = arn(f"{project['name']}/dataset/{kind.lower()}")
        now = time.time()
        call.database.run(
            "INSERT INTO dataset VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            dataset,
            project["arn"],
            kind,
            "CREATE_FAILED" if lack else "CREATE_IN_PROGRESS",
            rights.incorrect(lack) if lack else "The dataset is being created.",
            now,
            now,
            None if lack else due(DATASET_DELAY),
        )
        if not lack:
            _put(call, dataset, lines)
        call.tag(dataset, call.tags)
    return {"DatasetArn": dataset}


def describe(call: Call) -> Json:
    """DescribeDataset."""
    dataset = call.row("dataset", call.input["DatasetArn"])
    entries = _entries(call, dataset["arn"])
    return {
        "DatasetDescription": {
            "CreationTimestamp": dataset["created"],
            "LastUpdatedTimestamp": dataset["updated"],
            "Status": dataset["status"],
            "StatusMessage": dataset["message"],
            "StatusMessageCode": "SUCCESS",
            "DatasetStats": {
                "LabeledEntries": sum(1 for entry in entries if entry["labels"] != "{}"),
                "TotalEntries": len(entries),
                "TotalLabels": len(_label_counts(entries)),
                "ErrorEntries": sum(1 for entry in entries if entry["error"]),
            },
        }
    }


def update(call: Call) -> Json:
    """UpdateDatasetEntries: adds images, and replaces those that are there."""
    text = base64.b64decode(call.input["Changes"]["GroundTruth"])
    if len(text) >= CHANGE_LIMIT:
        raise invalid("The changes must be less than 5 MB.")
    lines = _decode(text)
    lack = rights.lacking(call.caller, image_places(lines))
    with call.database.change():
        dataset = _idle(call)
        if not lack:
            _put(call, dataset["arn"], lines)
        if (
            call.database.count("SELECT count(*) FROM entry WHERE dataset = ?", dataset["arn"])
            > manifest.MAX_LINES
        ):
            raise ServiceError(
                "LimitExceededException", f"A dataset holds at most {manifest.MAX_LINES} images."
            )
        call.database.run(
            "UPDATE dataset SET status = ?, message = ?, updated = ?, due = ? WHERE arn = ?",
            "UPDATE_FAILED" if lack else "UPDATE_IN_PROGRESS",
            rights.incorrect(lack) if lack else "The dataset is being updated.",
            time.time(),
            None if lack else due(DATASET_DELAY),
            dataset["arn"],
        )
    return {}


def list_entries(call: Call) -> Json:
    """ListDatasetEntries."""
    dataset = _idle(call)
    part, rest = call.page([e for e in _entries(call, dataset["arn"]) if _wanted(call.input, e)])
    return {"DatasetEntries": [_shown(entry) for entry in part]} | rest


def list_labels(call: Call) -> Json:
    """ListDatasetLabels."""
    dataset = _idle(call)
    entries = _entries(call, dataset["arn"])
    boxes: Counter[str] = Counter()
    for entry in entries:
        boxes.update(json.loads(entry["labels"]))
    part, rest = call.page(sorted(_label_counts(entries).items()))
    return {
        "DatasetLabelDescriptions": [
            {
                "LabelName": label,
                "LabelStats": {"EntryCount": count, "BoundingBoxCount": boxes[label]},
            }
            for label, count in part
        ]
    } | rest


def delete(call: Call) -> Json:
    """DeleteDataset; the images stay."""
    dataset = _idle(call)
    with call.database.change():
        call.database.run("DELETE FROM tag WHERE arn = ?", dataset["arn"])
        call.database.run("DELETE FROM dataset WHERE arn = ?", dataset["arn"])
    return {}


def manifest_place(source: Json) -> Location:
    """The object that a request names as its manifest."""
    try:
        fields = source["GroundTruthManifest"]["S3Object"]
        return Location(fields["Bucket"], fields["Name"], fields.get("Version"))
    except KeyError as error:
        raise invalid(f"The manifest lacks {error}.") from error


def image_places(lines: Iterable[manifest.Entry | manifest.Invalid]) -> list[Location]:
    """The images of a manifest's lines."""
    return [line.location for line in lines if isinstance(line, manifest.Entry)]


def read_manifest(call: Call, source: Json) -> str:
    """The text of a manifest that the request names; `rights` says whether the caller may."""
    place = manifest_place(source)
    objects = call.backend.objects
    try:
        if objects.size(place) > manifest.MAX_BYTES:
            raise invalid("A manifest must not be larger than 1 GB.")
        return objects.read(place).decode()
    except NoSuchObjectError as error:
        raise ServiceError(
            "InvalidS3ObjectException",
            f"Unable to get object metadata from S3. Check object key, region and/or access "
            f"permissions: {place}",
        ) from error
    except UnicodeDecodeError as error:
        raise invalid(f"{place} is not UTF-8 text.") from error


def _source(call: Call) -> Iterable[manifest.Entry | manifest.Invalid]:
    source = call.input.get("DatasetSource") or {}
    if "GroundTruthManifest" in source and "DatasetArn" in source:
        raise invalid("Name a manifest or a dataset, not both.")
    if "DatasetArn" in source:
        other = call.row("dataset", source["DatasetArn"])
        call.caller.require("rekognition", "rekognition:ListDatasetEntries", other["arn"])
        return manifest.parse("\n".join(e["line"] for e in _entries(call, other["arn"])))
    if "GroundTruthManifest" in source:
        return manifest.parse(read_manifest(call, source))
    return []


def _decode(text: bytes) -> list[manifest.Entry | manifest.Invalid]:
    try:
        return list(manifest.parse(text.decode()))
    except UnicodeDecodeError as error:
        raise invalid("The changes are not UTF-8 text.") from error


def _put(call: Call, dataset: str, lines: Iterable[manifest.Entry | manifest.Invalid]) -> None:
    statement = (
        "INSERT INTO entry (dataset, source, line, labels, error) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (dataset, source) DO UPDATE SET line = excluded.line, "
        "labels = excluded.labels, error = excluded.error"
    )
    for line in lines:
        if isinstance(line, manifest.Entry):
            labels = {label: line.boxes[label] for label in line.labels}
            call.database.run(statement, dataset, line.source, line.line, json.dumps(labels), None)
        else:
            # Without a source-ref to go by, the same broken line is the same entry.
            call.database.run(statement, dataset, line.line, line.line, "{}", line.reason)


def _idle(call: Call) -> Any:
    dataset = call.row("dataset", call.input["DatasetArn"])
    if dataset["status"] in BUSY:
        raise in_use(f"The dataset is in {dataset['status']}.")
    return dataset


def _entries(call: Call, dataset: str) -> list[Any]:
    return call.database.rows("SELECT * FROM entry WHERE dataset = ? ORDER BY number", dataset)


def _label_counts(entries: Iterable[Any]) -> Counter[str]:
    return Counter(label for entry in entries for label in json.loads(entry["labels"]))


def _wanted(asked: Json, entry: Any) -> bool:
    labels = json.loads(entry["labels"])
    return (
        ("Labeled" not in asked or asked["Labeled"] == bool(labels))
        and ("HasErrors" not in asked or asked["HasErrors"] == bool(entry["error"]))
        and asked.get("SourceRefContains", "") in entry["source"]
        and ("ContainsLabels" not in asked or bool(set(asked["ContainsLabels"]) & set(labels)))
    )


def _shown(entry: Any) -> str:
    line: str = entry["line"]
    if not entry["error"]:
        return line
    errors = [{"error-code": "ERROR_INVALID_JSON_LINE", "error-message": entry["error"]}]
    return json.dumps({"invalid-line": line, "errors": errors})
