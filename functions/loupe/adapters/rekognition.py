"""Amazon Rekognition Custom Labels: one project, its datasets and its versions."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from loupe.domain.detection import Label, model_labels
from loupe.domain.keys import EVALUATION_PREFIX, ImageRef
from loupe.domain.versions import LabelMetrics
from loupe.errors import (
    AlreadyDone,
    LoupeError,
    NotFound,
    NotPermitted,
    ServiceRefused,
    TryAgain,
    UnusableImage,
)
from loupe.faults import UNREACHABLE

DETECT = "detect_custom_labels"
FINAL = {
    "InvalidManifestException",
    "InvalidPaginationTokenException",
    "InvalidParameterException",
    "UnknownOperationException",
    "ValidationException",
}
"""Codes of requests that the service never takes; what is not named here may pass later."""
UNREADABLE = "InvalidS3ObjectException"
"""The object is gone, or the caller may not read it."""
BAD_IMAGE = {
    "InvalidImageFormatException": "it is not a PNG or JPEG image that can be read",
    "ImageTooLargeException": "it is larger than 15 MB or than 4096 pixels a side",
    UNREADABLE: "it is not in the bucket any more, or cannot be read",
}


@dataclass(frozen=True)
class VersionState:
    """What the service says of a version. `status` is a ProjectVersionStatus, "" if unknown.

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
    """What the service says of a dataset. `status` is a DatasetStatus, "" if there is none."""

    status: str
    arn: str = ""
    message: str = ""


class Rekognition:
    """The project `project_arn`. `client` is `boto3.client("rekognition")`."""

    def __init__(self, client: Any, project_arn: str) -> None:
        self._client = client
        self._project = project_arn

    def detect(self, version_arn: str, image: ImageRef) -> tuple[Label, ...]:
        """Every label that a running version gives, at MinConfidence 0, the surest first.

        Raises UnusableImage, TryAgain (throttled, or not running), NotPermitted or ServiceRefused.
        """
        found = {"Bucket": image.bucket, "Name": image.key}
        if image.version:
            found["Version"] = image.version
        response = self._call(
            DETECT,
            ProjectVersionArn=version_arn,
            Image={"S3Object": found},
            MinConfidence=0,
        )
        return model_labels(response["CustomLabels"])

    def dataset(self, split: str) -> DatasetState:
        """The project's dataset for `split`, "train" or "test"."""
        projects = self._call("describe_projects", ProjectNames=[self._name()])
        for project in projects["ProjectDescriptions"]:
            for dataset in project.get("Datasets", ()):
                if dataset["DatasetType"] == split.upper():
                    return self._described(dataset["DatasetArn"])
        return DatasetState("")

    def create_dataset(self, split: str, bucket: str, manifest_key: str) -> None:
        """Begin to make the dataset of `split`, which has none, from a manifest."""
        # The SDK asks again when an answer is late, and then the first call has made it.
        with suppress(AlreadyDone):
            self._call(
                "create_dataset",
                ProjectArn=self._project,
                DatasetType=split.upper(),
                DatasetSource={
                    "GroundTruthManifest": {"S3Object": {"Bucket": bucket, "Name": manifest_key}}
                },
            )

    def update_dataset(self, dataset_arn: str, batch: bytes) -> None:
        """Begin to add or replace entries: manifest lines of less than 5 MB."""
        self._call("update_dataset_entries", DatasetArn=dataset_arn, Changes={"GroundTruth": batch})

    def delete_dataset(self, dataset_arn: str) -> None:
        """Begin to delete a dataset, unless it is gone. The images stay."""
        with suppress(NotFound):
            self._call("delete_dataset", DatasetArn=dataset_arn)

    def train(self, version: str, bucket: str) -> str:
        """Begin to train a version on the project's datasets and return its ARN."""
        response = self._call(
            "create_project_version",
            ProjectArn=self._project,
            VersionName=version,
            OutputConfig={"S3Bucket": bucket, "S3KeyPrefix": f"{EVALUATION_PREFIX}{version}"},
        )
        return str(response["ProjectVersionArn"])

    def version(self, name: str) -> VersionState:
        """The state of a version; its status is "" when there is none of that name."""
        for state_name, state in self.versions([name]):
            if state_name == name:
                return state
        return VersionState("")

    def versions(self, names: Iterable[str] = ()) -> Iterable[tuple[str, VersionState]]:
        """(name, state) of the project's versions, of all or of those named."""
        request: dict[str, Any] = {"ProjectArn": self._project}
        if names := list(names):
            request["VersionNames"] = names
        while True:
            page = self._call("describe_project_versions", **request)
            for described in page["ProjectVersionDescriptions"]:
                yield described["ProjectVersionArn"].split("/")[3], _state(described)
            if "NextToken" not in page:
                return
            request["NextToken"] = page["NextToken"]

    def start(self, version_arn: str, minimum_units: int, maximum_units: int) -> None:
        """Begin to start a version; one that starts or runs already is left as it is."""
        self._call(
            "start_project_version",
            ProjectVersionArn=version_arn,
            MinInferenceUnits=minimum_units,
            # The service may refuse a maximum that is no more than the minimum.
            **({"MaxInferenceUnits": maximum_units} if maximum_units > minimum_units else {}),
        )

    def stop(self, version_arn: str) -> None:
        """Begin to stop a version."""
        self._call("stop_project_version", ProjectVersionArn=version_arn)

    def delete_version(self, version_arn: str) -> None:
        """Begin to delete a version that does not run, unless it is gone."""
        with suppress(NotFound):
            self._call("delete_project_version", ProjectVersionArn=version_arn)

    def create_project(self, name: str) -> str:
        """Make a project and return its ARN."""
        return str(self._call("create_project", ProjectName=name)["ProjectArn"])

    def delete_project(self) -> None:
        """Begin to delete the project, which must be empty."""
        self._call("delete_project", ProjectArn=self._project)

    def project_exists(self) -> bool:
        """Whether the service still knows the project."""
        described = self._call("describe_projects", ProjectNames=[self._name()])
        return bool(described["ProjectDescriptions"])

    def _name(self) -> str:
        return self._project.split("/")[1]

    def _described(self, arn: str) -> DatasetState:
        try:
            described = self._call("describe_dataset", DatasetArn=arn)["DatasetDescription"]
        except NotFound:
            return DatasetState("")
        return DatasetState(described["Status"], arn, described.get("StatusMessage", ""))

    def _call(self, action: str, **request: Any) -> Any:
        try:
            return getattr(self._client, action)(**request)
        except ClientError as error:
            raise _translated(action, error) from error
        except UNREACHABLE as error:
            raise TryAgain(f"Rekognition did not answer: {error}") from error


def _state(described: Mapping[str, Any]) -> VersionState:
    evaluation = described.get("EvaluationResult", {})
    return VersionState(
        status=described["Status"],
        arn=described["ProjectVersionArn"],
        message=described.get("StatusMessage", ""),
        f1=evaluation.get("F1Score"),
        units=described.get("MinInferenceUnits", 0),
        evaluation=evaluation.get("Summary", {}).get("S3Object", {}).get("Name", ""),
    )


def measures(summary: bytes) -> list[LabelMetrics]:
    """Label by label what the service's evaluation summary says."""
    found = json.loads(summary)["LabelEvaluationResults"]
    return [
        LabelMetrics(
            label=result["Label"],
            f1=result["Metrics"]["F1Score"],
            precision=result["Metrics"]["Precision"],
            recall=result["Metrics"]["Recall"],
        )
        for result in found
    ]


def _translated(action: str, error: ClientError) -> LoupeError:
    code = error.response["Error"]["Code"]
    message = f"{code}: {error.response['Error'].get('Message', '')}"
    if action == DETECT and code in BAD_IMAGE:
        return UnusableImage(BAD_IMAGE[code])
    if code in ("AccessDeniedException", UNREADABLE):
        return NotPermitted(message)
    if code == "ResourceNotFoundException":
        return NotFound(message)
    if code == "ResourceAlreadyExistsException":
        return AlreadyDone(message)
    return ServiceRefused(message) if code in FINAL else TryAgain(message)
