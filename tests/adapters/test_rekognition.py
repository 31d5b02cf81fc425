"""The Rekognition adapter: requests as the service takes them, its errors as domain errors."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.stub import Stubber

from loupe.adapters.rekognition import DatasetState, Rekognition, VersionState
from loupe.domain.keys import ImageRef
from loupe.errors import (
    LoupeError,
    NotFound,
    NotPermitted,
    ServiceRefused,
    TryAgain,
    UnusableImage,
)
from tests.adapters.world import PROJECT

IMAGE = ImageRef("bucket", "images_for_detection/a b+ü.png", "v1", "e", 5)
VERSION = f"{PROJECT.rsplit('/', 1)[0]}/version/v2/1700000000000"


@pytest.fixture(scope="module")
def _client() -> Any:
    return boto3.client(
        "rekognition", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


@pytest.fixture
def stub(_client: Any) -> Iterator[Stubber]:
    """Checks every request against the service's model and that all expected ones are made."""
    with Stubber(_client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def rekognition(_client: Any) -> Rekognition:
    return Rekognition(_client, PROJECT)


def test_every_label_is_asked_for_of_the_very_version_of_the_image(
    stub: Stubber, rekognition: Rekognition
) -> None:
    stub.add_response(
        "detect_custom_labels",
        {"CustomLabels": [{"Name": "cat", "Confidence": 3.5}, {"Name": "dog", "Confidence": 9.0}]},
        {
            "ProjectVersionArn": VERSION,
            "Image": {"S3Object": {"Bucket": "bucket", "Name": IMAGE.key, "Version": "v1"}},
            "MinConfidence": 0,
        },
    )

    assert [label.name for label in rekognition.detect(VERSION, IMAGE)] == ["dog", "cat"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ThrottlingException", TryAgain),
        ("ProvisionedThroughputExceededException", TryAgain),
        ("ResourceNotReadyException", TryAgain),
        ("InternalServerError", TryAgain),
        ("InvalidImageFormatException", UnusableImage),
        ("ImageTooLargeException", UnusableImage),
        ("InvalidS3ObjectException", UnusableImage),
        ("ResourceNotFoundException", NotFound),
        ("AccessDeniedException", NotPermitted),
        ("LimitExceededException", TryAgain),
        ("AnErrorThatNobodyKnowsYet", TryAgain),
        ("InvalidParameterException", ServiceRefused),
    ],
)
def test_errors_of_the_service_are_passing_final_or_the_images(
    stub: Stubber, rekognition: Rekognition, code: str, error: type[LoupeError]
) -> None:
    stub.add_client_error("detect_custom_labels", code, "why")

    with pytest.raises(error) as raised:
        rekognition.detect(VERSION, IMAGE)

    assert type(raised.value) is error


@pytest.mark.parametrize(
    "error",
    [
        ConnectTimeoutError(endpoint_url="there"),
        ReadTimeoutError(endpoint_url="there"),
        EndpointConnectionError(endpoint_url="there"),
        ConnectionClosedError(endpoint_url="there"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_service_that_does_not_answer_is_tried_again(error: Exception) -> None:
    client = Mock()
    client.detect_custom_labels.side_effect = error

    with pytest.raises(TryAgain, match="did not answer"):
        Rekognition(client, PROJECT).detect(VERSION, IMAGE)


def test_a_manifest_that_the_caller_may_not_read_is_a_matter_of_rights(
    stub: Stubber, rekognition: Rekognition
) -> None:
    stub.add_client_error("create_dataset", "InvalidS3ObjectException", "no access")

    with pytest.raises(NotPermitted, match="no access"):
        rekognition.create_dataset("train", "bucket", "manifests/v1/train.manifest")


def test_a_dataset_that_an_earlier_call_made_is_made(
    stub: Stubber, rekognition: Rekognition
) -> None:
    """The SDK repeats a call whose answer is late."""
    stub.add_client_error("create_dataset", "ResourceAlreadyExistsException", "there is one")

    rekognition.create_dataset("train", "bucket", "manifests/v1/train.manifest")


def test_what_an_earlier_call_deleted_is_gone(stub: Stubber, rekognition: Rekognition) -> None:
    dataset = f"{PROJECT.rsplit('/', 1)[0]}/dataset/train/1"
    stub.add_client_error("delete_dataset", "ResourceNotFoundException", "gone")
    stub.add_client_error("delete_project_version", "ResourceNotFoundException", "gone")

    rekognition.delete_dataset(dataset)
    rekognition.delete_version(VERSION)


def test_a_project_that_is_gone_has_no_datasets(stub: Stubber, rekognition: Rekognition) -> None:
    stub.add_response("describe_projects", {"ProjectDescriptions": []})

    assert rekognition.dataset("train") == DatasetState("")


def test_versions_are_found_by_name_over_all_pages(stub: Stubber, rekognition: Rekognition) -> None:
    described = {
        "ProjectVersionArn": VERSION,
        "Status": "TRAINING_COMPLETED",
        "EvaluationResult": {"F1Score": 0.5},
    }
    stub.add_response(
        "describe_project_versions",
        {"ProjectVersionDescriptions": [], "NextToken": "more"},
        {"ProjectArn": PROJECT, "VersionNames": ["v2"]},
    )
    stub.add_response(
        "describe_project_versions",
        {"ProjectVersionDescriptions": [described]},
        {"ProjectArn": PROJECT, "VersionNames": ["v2"], "NextToken": "more"},
    )

    assert rekognition.version("v2") == VersionState("TRAINING_COMPLETED", VERSION, "", 0.5)


def test_a_version_that_is_not_there_has_no_status(stub: Stubber, rekognition: Rekognition) -> None:
    stub.add_response("describe_project_versions", {"ProjectVersionDescriptions": []})

    assert rekognition.version("v9") == VersionState("")


def test_a_dataset_is_found_by_its_side(stub: Stubber, rekognition: Rekognition) -> None:
    test_arn = f"{PROJECT.rsplit('/', 1)[0]}/dataset/test/1"
    train_arn = f"{PROJECT.rsplit('/', 1)[0]}/dataset/train/1"
    project = {
        "ProjectArn": PROJECT,
        "Datasets": [
            {"DatasetArn": train_arn, "DatasetType": "TRAIN"},
            {"DatasetArn": test_arn, "DatasetType": "TEST"},
        ],
    }
    stub.add_response(
        "describe_projects", {"ProjectDescriptions": [project]}, {"ProjectNames": ["loupe"]}
    )
    stub.add_response(
        "describe_dataset",
        {"DatasetDescription": {"Status": "CREATE_COMPLETE"}},
        {"DatasetArn": test_arn},
    )

    assert rekognition.dataset("test") == DatasetState("CREATE_COMPLETE", test_arn)


def test_a_project_without_datasets_has_none(stub: Stubber, rekognition: Rekognition) -> None:
    stub.add_response("describe_projects", {"ProjectDescriptions": [{"ProjectArn": PROJECT}]})

    assert rekognition.dataset("train") == DatasetState("")


def test_a_training_writes_its_evaluation_under_its_own_name(
    stub: Stubber, rekognition: Rekognition
) -> None:
    stub.add_response(
        "create_project_version",
        {"ProjectVersionArn": VERSION},
        {
            "ProjectArn": PROJECT,
            "VersionName": "v2",
            "OutputConfig": {"S3Bucket": "bucket", "S3KeyPrefix": "evaluation/v2"},
        },
    )

    assert rekognition.train("v2", "bucket") == VERSION


@pytest.mark.parametrize(("maximum", "sent"), [(1, {}), (3, {}), (4, {"MaxInferenceUnits": 4})])
def test_an_autoscaling_bound_is_sent_only_when_it_is_above_the_minimum(
    stub: Stubber, rekognition: Rekognition, maximum: int, sent: dict[str, int]
) -> None:
    stub.add_response(
        "start_project_version",
        {"Status": "STARTING"},
        {"ProjectVersionArn": VERSION, "MinInferenceUnits": 3, **sent},
    )

    rekognition.start(VERSION, 3, maximum)
