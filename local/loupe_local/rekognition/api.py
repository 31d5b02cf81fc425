"""The service's operations, whom they ask for permission on what, and its protocol."""

from collections.abc import Callable
from dataclasses import dataclass

from loupe_local.environment import ACCOUNT, REGION
from loupe_local.http.contract import input_faults
from loupe_local.http.wire import (
    Caller,
    Json,
    Reply,
    Request,
    ServiceError,
    error_reply,
    json_body,
    json_reply,
)
from loupe_local.rekognition import datasets, detection, projects, versions
from loupe_local.rekognition.backend import Backend
from loupe_local.rekognition.call import Call, invalid
from loupe_local.rekognition.clock import settle

TARGET = "RekognitionService."
CONTENT = "application/x-amz-json-1.1"


@dataclass(frozen=True)
class Operation:
    """What does the work, and the input member that holds the ARN to be permitted on."""

    act: Callable[[Call], Json]
    resource: str | None
    """None where the service has no permission on single resources."""


PROJECT, DATASET, VERSION, ANY = "ProjectArn", "DatasetArn", "ProjectVersionArn", "ResourceArn"

# Resources as in the Service Authorization Reference.
OPERATIONS = {
    "CreateProject": Operation(projects.create, None),
    "DescribeProjects": Operation(projects.describe, None),
    "DeleteProject": Operation(projects.delete, PROJECT),
    "CreateDataset": Operation(datasets.create, PROJECT),
    "DescribeDataset": Operation(datasets.describe, DATASET),
    "UpdateDatasetEntries": Operation(datasets.update, DATASET),
    "ListDatasetEntries": Operation(datasets.list_entries, DATASET),
    "ListDatasetLabels": Operation(datasets.list_labels, DATASET),
    "DeleteDataset": Operation(datasets.delete, DATASET),
    "CreateProjectVersion": Operation(versions.create, PROJECT),
    "DescribeProjectVersions": Operation(versions.describe, PROJECT),
    "StartProjectVersion": Operation(versions.start, VERSION),
    "StopProjectVersion": Operation(versions.stop, VERSION),
    "DeleteProjectVersion": Operation(versions.delete, VERSION),
    "DetectCustomLabels": Operation(detection.detect, VERSION),
    "TagResource": Operation(projects.tag, ANY),
    "UntagResource": Operation(projects.untag, ANY),
    "ListTagsForResource": Operation(projects.list_tags, ANY),
}


class Rekognition:
    """Amazon Rekognition Custom Labels."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        backend.models.mkdir(parents=True, exist_ok=True)

    def recognises(self, request: Request) -> bool:
        """By the operation that the header names."""
        return request.headers.get("x-amz-target", "").startswith(TARGET)

    def answer(self, request: Request, caller: Callable[[], Caller]) -> Reply:
        """The reply to an operation, or its error."""
        name = request.headers["x-amz-target"].removeprefix(TARGET)
        try:
            return json_reply(self._perform(name, request, caller()), content=CONTENT)
        except ServiceError as error:
            return error_reply(error, CONTENT)

    def _perform(self, name: str, request: Request, caller: Caller) -> Json:
        operation = OPERATIONS.get(name)
        if operation is None:
            raise ServiceError(
                "UnknownOperationException", f"The embedded stack does not know {name}."
            )
        payload = json_body(request, "SerializationException")
        resource = str(payload.get(operation.resource)) if operation.resource else "*"
        caller.require("rekognition", f"rekognition:{name}", resource)
        if (caller.account, caller.region) != (ACCOUNT, REGION):
            raise invalid(f"The embedded stack has Rekognition in {REGION} of account {ACCOUNT}.")
        faults = input_faults("rekognition", name, payload)
        if faults:
            raise invalid(f"Request has invalid parameters: {'; '.join(faults)}")
        self._backend.faults.strike(name)
        settle(self._backend.database, self._backend.models)
        return operation.act(Call(payload, caller, self._backend))
