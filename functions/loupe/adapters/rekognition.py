"""Amazon Rekognition Custom Labels: one project, its datasets and its versions."""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from botocore.exceptions import ClientError

from loupe import errors
from loupe.domain.comparison import Prediction
from loupe.domain.detection import Label, model_labels
from loupe.domain.keys import EVALUATION_PREFIX, ImageRef
from loupe.domain.versions import LabelMetrics
from loupe.faults import UNREACHABLE, code_of

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_rekognition.literals import DatasetTypeType
    from mypy_boto3_rekognition.type_defs import ProjectDescriptionTypeDef, S3ObjectTypeDef

Request = ParamSpec("Request")
Response = TypeVar("Response")

DETECT = "DetectCustomLabels"
DATASET_TYPES: Mapping[str, "DatasetTypeType"] = {"train": "TRAIN", "test": "TEST"}
FINAL = {
    "InvalidManifestException",
    "InvalidPaginationTokenException",
    "InvalidParameterException",
    "UnknownOperationException",
    "ValidationException",
}
"""Codes of requests that the service never accepts; any other error may pass."""
BAD_IMAGE = {
    "InvalidImageFormatException": "it is not a PNG or JPEG image that can be read",
    "ImageTooLargeException": "it is larger than 15 MB or than 4096 pixels a side",
    "InvalidS3ObjectException": "it is not in the bucket any more, or cannot be read",
}


@dataclass(frozen=True)
class VersionState:
    """A version as Rekognition reports it. `status` is a ProjectVersionStatus, "" if unknown.

    `units` are the inference units it was started with, `evaluation` the key of its summary.
    """

    status: str
    arn: str = ""
    message: str = ""
    f1: float | None = None
    units: int = 0
    evaluation: str = ""


@dataclass(frozen=True)
class DatasetState:
    """A dataset as Rekognition reports it. `status` is a DatasetStatus, "" if there is none."""

    status: str
    arn: str = ""
    message: str = ""


class Rekognition:
    """The project `project_arn`. `client` is `boto3.client("rekognition")`."""

    def __init__(self, client: "RekognitionClient", project_arn: str) -> None:
        self._client = client
        self._project = project_arn

    def detect(self, version_arn: str, image: ImageRef) -> tuple[Label, ...]:
        """Every label that a running version gives, at MinConfidence 0, the surest first.

        Raises UnusableImage, TryAgain (throttled, or not running), NotPermitted or ServiceRefused.
        """
        s3_object: S3ObjectTypeDef = {"Bucket": image.bucket, "Name": image.key}
        if image.version:
            s3_object["Version"] = image.version
        response = _call(
            self._client.detect_custom_labels,
            ProjectVersionArn=version_arn,
            Image={"S3Object": s3_object},
            MinConfidence=0,
        )
        return model_labels(response["CustomLabels"])

    def dataset(self, split: str) -> DatasetState:
        """The project's dataset for `split`, "train" or "test"."""
        for project in self._projects():
            for dataset in project.get("Datasets", ()):
                if dataset["DatasetType"] == DATASET_TYPES[split]:
                    return self._described(dataset["DatasetArn"])
        return DatasetState("")

    def create_dataset(self, split: str, bucket: str, manifest_key: str) -> None:
        """Begin to create the dataset of `split`, which has none, from a manifest."""
        # The SDK repeats a request whose response is late; then the first one has created it.
        with suppress(errors.AlreadyDone):
            _call(
                self._client.create_dataset,
                ProjectArn=self._project,
                DatasetType=DATASET_TYPES[split],
                DatasetSource={
                    "GroundTruthManifest": {"S3Object": {"Bucket": bucket, "Name": manifest_key}}
                },
            )

    def update_dataset(self, dataset_arn: str, batch: bytes) -> None:
        """Begin to add or replace entries: manifest lines of less than 5 MB."""
        _call(
            self._client.update_dataset_entries,
            DatasetArn=dataset_arn,
            Changes={"GroundTruth": batch},
        )

    def delete_dataset(self, dataset_arn: str) -> None:
        """Begin to delete a dataset, if it exists. The images stay."""
        with suppress(errors.NotFound):
            _call(self._client.delete_dataset, DatasetArn=dataset_arn)

    def train(self, version: str, bucket: str) -> str:
        """Begin to train a version on the project's datasets and return its ARN."""
        response = _call(
            self._client.create_project_version,
            ProjectArn=self._project,
            VersionName=version,
            OutputConfig={"S3Bucket": bucket, "S3KeyPrefix": f"{EVALUATION_PREFIX}{version}"},
        )
        return response["ProjectVersionArn"]

    def version(self, name: str) -> VersionState:
        """The state of a version; its status is "" when there is none of that name."""
        return dict(self.versions([name])).get(name, VersionState(""))

    def versions(self, names: Iterable[str] = ()) -> Iterable[tuple[str, VersionState]]:
        """(name, state) of the project's versions, of all or of those named."""
        request: dict[str, Any] = {"ProjectArn": self._project}
        if names := list(names):
            request["VersionNames"] = names
        while True:
            page = _call(self._client.describe_project_versions, **request)
            for version in page["ProjectVersionDescriptions"]:
                yield version["ProjectVersionArn"].split("/")[3], _state(version)
            if "NextToken" not in page:
                return
            request["NextToken"] = page["NextToken"]

    def start(self, version_arn: str, minimum_units: int, maximum_units: int) -> None:
        """Begin to start a version; one that starts or runs already is left as it is."""
        _call(
            self._client.start_project_version,
            ProjectVersionArn=version_arn,
            MinInferenceUnits=minimum_units,
            # The service may refuse a maximum that is no more than the minimum.
            **({"MaxInferenceUnits": maximum_units} if maximum_units > minimum_units else {}),
        )

    def stop(self, version_arn: str) -> None:
        """Begin to stop a version."""
        _call(self._client.stop_project_version, ProjectVersionArn=version_arn)

    def delete_version(self, version_arn: str) -> None:
        """Begin to delete a version that does not run, if it exists."""
        with suppress(errors.NotFound):
            _call(self._client.delete_project_version, ProjectVersionArn=version_arn)

    def create_project(self, name: str) -> str:
        """Create a project and return its ARN."""
        return _call(self._client.create_project, ProjectName=name)["ProjectArn"]

    def delete_project(self) -> None:
        """Begin to delete the project, which must be empty."""
        _call(self._client.delete_project, ProjectArn=self._project)

    def project_exists(self) -> bool:
        """Whether the project exists."""
        return bool(self._projects())

    def _projects(self) -> "list[ProjectDescriptionTypeDef]":
        """The project's description, or nothing."""
        name = self._project.split("/")[1]
        return _call(self._client.describe_projects, ProjectNames=[name])["ProjectDescriptions"]

    def _described(self, arn: str) -> DatasetState:
        with suppress(errors.NotFound):
            dataset = _call(self._client.describe_dataset, DatasetArn=arn)["DatasetDescription"]
            return DatasetState(dataset["Status"], arn, dataset.get("StatusMessage", ""))
        return DatasetState("")


def _call(
    action: Callable[Request, Response], *args: Request.args, **request: Request.kwargs
) -> Response:
    try:
        return action(*args, **request)
    except ClientError as error:
        raise _translated(error) from error
    except UNREACHABLE as error:
        raise errors.TryAgain(f"Rekognition did not answer: {error}") from error


def _state(version: Mapping[str, Any]) -> VersionState:
    evaluation = version.get("EvaluationResult", {})
    return VersionState(
        status=version["Status"],
        arn=version["ProjectVersionArn"],
        message=version.get("StatusMessage", ""),
        f1=evaluation.get("F1Score"),
        units=version.get("MinInferenceUnits", 0),
        evaluation=evaluation.get("Summary", {}).get("S3Object", {}).get("Name", ""),
    )


def measures(summary: bytes) -> list[LabelMetrics]:
    """The service's evaluation summary, label by label."""
    results = json.loads(summary)["LabelEvaluationResults"]
    metrics = {result["Label"]: result["Metrics"] for result in results}
    return [
        LabelMetrics(label, m["F1Score"], m["Precision"], m["Recall"])
        for label, m in metrics.items()
    ]


def held_out_key(summary: bytes) -> str:
    """The key of `held_out`'s lines, which only the local trainer writes; "" elsewhere."""
    return str(json.loads(summary).get("LoupeLocal", {}).get("HeldOut", ""))


def held_out(lines: bytes) -> dict[str, Prediction]:
    """What models that had not seen them say of training images, by the image's address."""
    read = map(json.loads, lines.decode().splitlines())
    return {line["source-ref"]: _prediction(line["confidences"]) for line in read}


def _prediction(confidences: Mapping[str, float]) -> Prediction:
    surest = max(confidences, key=lambda label: confidences[label])
    return Prediction(surest, confidences[surest], confidences)


def _translated(error: ClientError) -> errors.LoupeError:
    code = code_of(error)
    message = f"{code}: {error.response['Error'].get('Message', '')}"
    if error.operation_name == DETECT and code in BAD_IMAGE:
        return errors.UnusableImage(BAD_IMAGE[code])
    match code:
        case "AccessDeniedException" | "InvalidS3ObjectException":
            return errors.NotPermitted(message)
        case "ResourceNotFoundException":
            return errors.NotFound(message)
        case "ResourceAlreadyExistsException":
            return errors.AlreadyDone(message)
    return errors.ServiceRefused(message) if code in FINAL else errors.TryAgain(message)
