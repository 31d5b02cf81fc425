"""CreateProjectVersion, DescribeProjectVersions, Start-, Stop- and DeleteProjectVersion."""

import json
import time
import uuid
from typing import Any

from loupe_local.http.wire import Json, ServiceError
from loupe_local.objects import Location
from loupe_local.rekognition import rights
from loupe_local.rekognition.call import Call, arn, in_use, invalid
from loupe_local.rekognition.clock import DELAY, due
from loupe_local.rekognition.datasets import BUSY, image_places, manifest_place, read_manifest
from loupe_local.rekognition.manifest import parse
from loupe_local.rekognition.training import write_job

STARTABLE = ("TRAINING_COMPLETED", "STOPPED", "FAILED")
UNDELETABLE = ("TRAINING_IN_PROGRESS", "STARTING", "RUNNING", "STOPPING", "DELETING")
TRAININGS_AT_ONCE = 2


def create(call: Call) -> Json:
    """CreateProjectVersion: copies what is trained on, and trains."""
    project = call.row("project", call.input["ProjectArn"])
    name = call.input["VersionName"]
    output = call.input["OutputConfig"]
    if "S3Bucket" not in output:
        raise invalid("OutputConfig needs an S3Bucket.")
    if "FeatureConfig" in call.input:
        raise invalid("FeatureConfig does not apply to Custom Labels.")
    if not call.backend.objects.has_bucket(output["S3Bucket"]):
        raise invalid(f"The bucket {output['S3Bucket']} of OutputConfig does not exist.")
    train, test, request = _material(call, project["arn"])
    version = arn(f"{project['name']}/version/{name}")
    folder = uuid.uuid4().hex
    write_job(
        call.backend.models / folder,
        train,
        test,
        {
            "project": project["name"],
            "name": name,
            "arn": version,
            "split": bool(request.get("AutoCreate")),
            "bucket": output["S3Bucket"],
            "prefix": output.get("S3KeyPrefix", ""),
            "lack": _lacking(call, train, test, request),
        },
    )
    with call.database.change():
        _refuse(call, project["arn"], name)
        call.database.run(
            "INSERT INTO version (arn, project, name, status, message, description, created, "
            "bucket, prefix, input, folder) VALUES (?, ?, ?, 'TRAINING_IN_PROGRESS', ?, ?, ?, ?, "
            "?, ?, ?)",
            version,
            project["arn"],
            name,
            "The model is being trained.",
            call.input.get("VersionDescription"),
            time.time(),
            output["S3Bucket"],
            output.get("S3KeyPrefix", ""),
            json.dumps(request),
            folder,
        )
        call.tag(version, call.tags)
    call.backend.trainings.begin(version)
    return {"ProjectVersionArn": version}


def describe(call: Call) -> Json:
    """DescribeProjectVersions, the newest first."""
    project = call.row("project", call.input["ProjectArn"])
    names = call.input.get("VersionNames")
    rows = call.database.rows(
        "SELECT * FROM version WHERE project = ? ORDER BY created DESC, arn", project["arn"]
    )
    part, rest = call.page([row for row in rows if names is None or row["name"] in names])
    return {"ProjectVersionDescriptions": [_description(row) for row in part]} | rest


def start(call: Call) -> Json:
    """StartProjectVersion."""
    least = call.input["MinInferenceUnits"]
    most = call.input.get("MaxInferenceUnits")
    if most is not None and most < least:
        raise invalid("MaxInferenceUnits must not be less than MinInferenceUnits.")
    with call.database.change():
        version = call.row("version", call.input["ProjectVersionArn"])
        if version["status"] not in STARTABLE:
            raise in_use(f"A version in {version['status']} cannot be started.")
        call.database.run(
            "UPDATE version SET status = 'STARTING', message = ?, minimum = ?, maximum = ?, "
            "due = ? WHERE arn = ?",
            "The model is starting.",
            least,
            most,
            due(DELAY),
            version["arn"],
        )
    return {"Status": "STARTING"}


def stop(call: Call) -> Json:
    """StopProjectVersion."""
    with call.database.change():
        version = call.row("version", call.input["ProjectVersionArn"])
        if version["status"] != "RUNNING":
            raise in_use(f"A version in {version['status']} cannot be stopped.")
        call.database.run(
            "UPDATE version SET status = 'STOPPING', message = ?, due = ? WHERE arn = ?",
            "The model is stopping.",
            due(DELAY),
            version["arn"],
        )
        call.database.run(
            "UPDATE run SET ended = ? WHERE version = ? AND ended IS NULL",
            time.time(),
            version["arn"],
        )
    return {"Status": "STOPPING"}


def delete(call: Call) -> Json:
    """DeleteProjectVersion."""
    with call.database.change():
        version = call.row("version", call.input["ProjectVersionArn"])
        if version["status"] in UNDELETABLE:
            raise in_use(f"A version in {version['status']} cannot be deleted.")
        call.database.run(
            "UPDATE version SET status = 'DELETING', due = ? WHERE arn = ?",
            due(DELAY),
            version["arn"],
        )
    return {"Status": "DELETING"}


def _refuse(call: Call, project: str, name: str) -> None:
    query = "SELECT 1 FROM version WHERE project = ? AND name = ?"
    if call.database.row(query, project, name):
        raise in_use(f"The project has a version {name} already.")
    query = "SELECT count(*) FROM version WHERE status = 'TRAINING_IN_PROGRESS'"
    if call.database.count(query) >= TRAININGS_AT_ONCE:
        raise ServiceError(
            "LimitExceededException", f"{TRAININGS_AT_ONCE} versions are being trained already."
        )


def _material(call: Call, project: str) -> tuple[str, str, Json]:
    """What to train and test on, and what the request says of it."""
    datasets = {
        row["kind"]: row
        for row in call.database.rows("SELECT * FROM dataset WHERE project = ?", project)
    }
    manifests = {
        name: call.input[name] for name in ("TrainingData", "TestingData") if name in call.input
    }
    if manifests and datasets:
        raise invalid("A project with datasets is trained on them, not on manifests.")
    if manifests:
        if len(manifests) < 2:
            raise invalid("Both TrainingData and TestingData are needed.")
        testing = manifests["TestingData"]
        test = "" if testing.get("AutoCreate") else _joined(call, testing)
        request = manifests | {"AutoCreate": testing.get("AutoCreate", False)}
        return _joined(call, manifests["TrainingData"]), test, request
    if set(datasets) != {"TRAIN", "TEST"}:
        raise invalid("The project needs a training dataset and a test dataset.")
    for row in datasets.values():
        if row["status"] in BUSY:
            raise in_use(f"The {row['kind']} dataset is in {row['status']}.")
    return _lines(call, datasets["TRAIN"]["arn"]), _lines(call, datasets["TEST"]["arn"]), {}


def _lacking(call: Call, train: str, test: str, request: Json) -> str:
    """What the caller lacks to train on these manifests; the training fails for it."""
    data = (request[name] for name in ("TrainingData", "TestingData") if name in request)
    manifests = [manifest_place(asset) for source in data for asset in source.get("Assets", ())]
    images = [place for text in (train, test) for place in image_places(parse(text))]
    output = call.input["OutputConfig"]
    summary = Location(output["S3Bucket"], f"{output.get('S3KeyPrefix', '')}/summary.json")
    return rights.lacking(call.caller, [*manifests, *images], [summary])


def _joined(call: Call, data: Json) -> str:
    assets = data.get("Assets")
    if not assets:
        raise invalid("There are no Assets.")
    return "\n".join(read_manifest(call, asset) for asset in assets)


def _lines(call: Call, dataset: str) -> str:
    query = "SELECT line FROM entry WHERE dataset = ? ORDER BY number"
    return "\n".join(row["line"] for row in call.database.rows(query, dataset))


def _description(version: Any) -> Json:
    request = json.loads(version["input"])
    result = json.loads(version["result"] or "{}")
    shown = {
        "ProjectVersionArn": version["arn"],
        "CreationTimestamp": version["created"],
        "MinInferenceUnits": version["minimum"],
        "MaxInferenceUnits": version["maximum"],
        "Status": version["status"],
        "StatusMessage": version["message"],
        "TrainingEndTimestamp": version["trained"],
        "OutputConfig": {"S3Bucket": version["bucket"], "S3KeyPrefix": version["prefix"]},
        "VersionDescription": version["description"],
        "Feature": "CUSTOM_LABELS",
        "BillableTrainingTimeInSeconds": result.get("seconds"),
        "EvaluationResult": result.get("evaluation"),
        "ManifestSummary": result.get("manifest_summary"),
        "TrainingDataResult": _data_result(request.get("TrainingData"), result.get("train")),
        "TestingDataResult": _data_result(request.get("TestingData"), result.get("test")),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _data_result(request: Json | None, used: Json | None) -> Json | None:
    if used is None:
        return None
    result = {"Output": used}
    return result | ({"Input": request} if request else {})
