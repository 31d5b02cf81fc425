"""States, limits and errors of the Custom Labels service."""

import itertools
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.stack_help import Client, eventually, line, picture

_numbers = itertools.count()


@pytest.fixture
def rekognition(client: Client) -> Any:
    """The operator's client."""
    return client("rekognition")


@pytest.fixture
def project(rekognition: Any) -> str:
    """A new project."""
    return str(rekognition.create_project(ProjectName=f"p{next(_numbers)}")["ProjectArn"])


@pytest.fixture(scope="module")
def bucket(client: Client) -> str:
    """A bucket with ten pictures of two labels for training, and four for testing."""
    s3 = client("s3")
    s3.create_bucket(Bucket="pictures")
    for label in ("ring", "box"):
        for number in range(7):
            s3.put_object(
                Bucket="pictures", Key=f"{label}/{number} é+?.png", Body=picture(label, number)
            )
    return "pictures"


def lines(bucket: str, numbers: range, labels: tuple[str, ...] = ("ring", "box")) -> str:
    """Manifest lines of pictures."""
    return "\n".join(
        line(f"s3://{bucket}/{label}/{n} é+?.png", label) for label in labels for n in numbers
    )


def error(act: Any, **given: Any) -> str:
    """The code that a call is refused with."""
    with pytest.raises(ClientError) as refusal:
        act(**given)
    return str(refusal.value.response["Error"]["Code"])


def dataset(rekognition: Any, project: str, kind: str, text: str = "") -> str:
    """A new dataset with entries, at rest."""
    arn: str = rekognition.create_dataset(ProjectArn=project, DatasetType=kind)["DatasetArn"]
    rest(rekognition, arn)
    if text:
        rekognition.update_dataset_entries(DatasetArn=arn, Changes={"GroundTruth": text.encode()})
        rest(rekognition, arn)
    return arn


def rest(rekognition: Any, arn: str) -> dict[str, Any]:
    """The description of a dataset once it is at rest."""

    def look() -> Any:
        found = rekognition.describe_dataset(DatasetArn=arn)["DatasetDescription"]
        return found if found["Status"].endswith("_COMPLETE") else None

    return dict(eventually(look))


def version(rekognition: Any, project: str, name: str = "v1") -> dict[str, Any]:
    """The description of a version."""
    found = rekognition.describe_project_versions(ProjectArn=project, VersionNames=[name])
    return dict(found["ProjectVersionDescriptions"][0])


def trained(rekognition: Any, project: str, bucket: str, seconds: float = 20) -> dict[str, Any]:
    """The description of a new version when its training has ended."""
    rekognition.create_project_version(
        ProjectArn=project,
        VersionName="v1",
        OutputConfig={"S3Bucket": bucket, "S3KeyPrefix": "out"},
    )
    eventually(lambda: version(rekognition, project)["Status"] != "TRAINING_IN_PROGRESS", seconds)
    return version(rekognition, project)


def test_a_model_is_trained_started_used_stopped_and_deleted(
    client: Client, rekognition: Any, project: str, bucket: str
) -> None:
    """Given two labelled datasets, then a version passes through the service's states, and
    answers only while it runs."""
    for kind, numbers in (("TRAIN", range(5)), ("TEST", range(5, 7))):
        dataset(rekognition, project, kind, lines(bucket, numbers))
    found = trained(rekognition, project, bucket, 60)
    assert found["Status"] == "TRAINING_COMPLETED"
    assert found["BillableTrainingTimeInSeconds"] >= 1
    place = found["EvaluationResult"]["Summary"]["S3Object"]
    summary = json.load(client("s3").get_object(Bucket=place["Bucket"], Key=place["Name"])["Body"])
    assert summary["AggregatedEvaluationResults"]["F1Score"] == pytest.approx(
        found["EvaluationResult"]["F1Score"]
    )
    assert {r["Label"] for r in summary["LabelEvaluationResults"]} == {"ring", "box"}
    assert summary["EvaluationDetails"]["NumberOfTestingImages"] == 4

    arn = found["ProjectVersionArn"]
    image = {"S3Object": {"Bucket": bucket, "Name": "ring/5 é+?.png"}}
    detect = rekognition.detect_custom_labels
    assert error(detect, ProjectVersionArn=arn, Image=image) == "ResourceNotReadyException"
    rekognition.start_project_version(
        ProjectVersionArn=arn, MinInferenceUnits=1, MaxInferenceUnits=2
    )
    assert error(rekognition.stop_project_version, ProjectVersionArn=arn) == (
        "ResourceInUseException"
    )
    eventually(lambda: version(rekognition, project)["Status"] == "RUNNING")
    assert version(rekognition, project)["MaxInferenceUnits"] == 2
    check_detection(rekognition, arn, image)
    assert error(rekognition.delete_project_version, ProjectVersionArn=arn) == (
        "ResourceInUseException"
    )
    rekognition.stop_project_version(ProjectVersionArn=arn)
    eventually(lambda: version(rekognition, project)["Status"] == "STOPPED")
    rekognition.delete_project_version(ProjectVersionArn=arn)
    eventually(
        lambda: (
            not rekognition.describe_project_versions(ProjectArn=project)[
                "ProjectVersionDescriptions"
            ]
        )
    )


def check_detection(rekognition: Any, arn: str, image: dict[str, Any]) -> None:
    """What a running model answers."""
    detect = rekognition.detect_custom_labels
    every = detect(ProjectVersionArn=arn, Image=image, MinConfidence=0)["CustomLabels"]
    assert [label["Name"] for label in every] == ["ring", "box"]
    assert every[0]["Confidence"] > every[1]["Confidence"]
    same = detect(ProjectVersionArn=arn, Image={"Bytes": picture("ring", 5)}, MinConfidence=0)
    assert same["CustomLabels"] == every
    sure = detect(ProjectVersionArn=arn, Image=image)["CustomLabels"]
    assert [label["Name"] for label in sure] == ["ring"]
    assert (
        len(
            detect(ProjectVersionArn=arn, Image=image, MinConfidence=0, MaxResults=1)[
                "CustomLabels"
            ]
        )
        == 1
    )
    missing = {"S3Object": {"Bucket": "pictures", "Name": "none.png"}}
    assert error(detect, ProjectVersionArn=arn, Image=missing) == "InvalidS3ObjectException"
    assert error(detect, ProjectVersionArn=arn, Image={"Bytes": b"GIF89a"}) == (
        "InvalidImageFormatException"
    )
    assert error(detect, ProjectVersionArn=arn, Image={"Bytes": b"x" * (4 * 1024**2 + 1)}) == (
        "ImageTooLargeException"
    )
    assert error(detect, ProjectVersionArn=arn, Image={}) == "InvalidParameterException"


def test_a_training_that_cannot_be_fails_and_says_why(
    rekognition: Any, project: str, bucket: str
) -> None:
    """Given one label only, when it is trained, then the training fails with a message."""
    for kind, numbers in (("TRAIN", range(3)), ("TEST", range(5, 7))):
        dataset(rekognition, project, kind, lines(bucket, numbers, ("ring",)))
    found = trained(rekognition, project, bucket)
    assert found["Status"] == "TRAINING_FAILED"
    assert "1 labels" in found["StatusMessage"]
    assert (
        error(
            rekognition.start_project_version,
            ProjectVersionArn=found["ProjectVersionArn"],
            MinInferenceUnits=1,
        )
        == "ResourceInUseException"
    )


def test_training_needs_both_datasets(rekognition: Any, project: str, bucket: str) -> None:
    """Given a project without a test dataset, when it is trained, then it is refused."""
    dataset(rekognition, project, "TRAIN", lines(bucket, range(3)))
    assert (
        error(
            rekognition.create_project_version,
            ProjectArn=project,
            VersionName="v1",
            OutputConfig={"S3Bucket": bucket},
        )
        == "InvalidParameterException"
    )


def test_entries_are_replaced_by_source(rekognition: Any, project: str) -> None:
    """Given an entry, when its image comes again with another label, then there is one entry
    with that label; a line that is none counts as an error."""
    arn = dataset(rekognition, project, "TRAIN", line("s3://b/a.png", "cat"))
    change = line("s3://b/a.png", "dog") + "\n" + line("s3://b/b.png", "dog") + "\nnonsense\n"
    rekognition.update_dataset_entries(DatasetArn=arn, Changes={"GroundTruth": change.encode()})
    assert (
        error(rekognition.update_dataset_entries, DatasetArn=arn, Changes={"GroundTruth": b"{}"})
        == "ResourceInUseException"
    )
    stats = rest(rekognition, arn)["DatasetStats"]
    assert stats == {"LabeledEntries": 2, "TotalEntries": 3, "TotalLabels": 1, "ErrorEntries": 1}
    entries = rekognition.list_dataset_entries(DatasetArn=arn, ContainsLabels=["dog"])
    assert entries["DatasetEntries"] == change.splitlines()[:2]
    labels = rekognition.list_dataset_labels(DatasetArn=arn)["DatasetLabelDescriptions"]
    assert labels == [{"LabelName": "dog", "LabelStats": {"EntryCount": 2, "BoundingBoxCount": 0}}]
    wrong = rekognition.list_dataset_entries(DatasetArn=arn, HasErrors=True)["DatasetEntries"]
    assert json.loads(wrong[0])["errors"]


def test_entries_come_in_pages(rekognition: Any, project: str) -> None:
    """Given five entries, when two a page are asked for, then three pages have them all."""
    sources = [f"s3://b/{number}.png" for number in range(5)]
    arn = dataset(rekognition, project, "TEST", "\n".join(line(s, "x") for s in sources))
    pages = list(
        rekognition.get_paginator("list_dataset_entries").paginate(
            DatasetArn=arn, PaginationConfig={"PageSize": 2}
        )
    )
    assert [len(page["DatasetEntries"]) for page in pages] == [2, 2, 1]
    assert error(rekognition.list_dataset_entries, DatasetArn=arn, NextToken="guess") == (
        "InvalidPaginationTokenException"
    )


def test_a_dataset_is_made_of_a_manifest(
    client: Client, rekognition: Any, project: str, bucket: str
) -> None:
    """Given a manifest in S3, when a dataset is made of it, then it has its entries; one that is
    not there is refused."""
    client("s3").put_object(Bucket=bucket, Key="m.manifest", Body=lines(bucket, range(3)).encode())

    def source(name: str) -> dict[str, Any]:
        return {"GroundTruthManifest": {"S3Object": {"Bucket": bucket, "Name": name}}}

    create = rekognition.create_dataset
    assert error(create, ProjectArn=project, DatasetType="TRAIN", DatasetSource=source("none")) == (
        "InvalidS3ObjectException"
    )
    arn = create(ProjectArn=project, DatasetType="TRAIN", DatasetSource=source("m.manifest"))[
        "DatasetArn"
    ]
    assert rest(rekognition, arn)["DatasetStats"]["TotalEntries"] == 6
    assert error(create, ProjectArn=project, DatasetType="TRAIN") == (
        "ResourceAlreadyExistsException"
    )


def test_a_project_goes_last(rekognition: Any) -> None:
    """Given a project with a dataset, then it cannot be deleted before that."""
    name = f"p{next(_numbers)}"
    project = rekognition.create_project(ProjectName=name, Tags={"a": "b"})["ProjectArn"]
    assert error(rekognition.create_project, ProjectName=name) == "ResourceInUseException"
    assert rekognition.list_tags_for_resource(ResourceArn=project)["Tags"] == {"a": "b"}
    rekognition.tag_resource(ResourceArn=project, Tags={"c": "d"})
    rekognition.untag_resource(ResourceArn=project, TagKeys=["a"])
    assert rekognition.list_tags_for_resource(ResourceArn=project)["Tags"] == {"c": "d"}
    arn = dataset(rekognition, project, "TRAIN")
    described = rekognition.describe_projects(ProjectNames=[name])["ProjectDescriptions"]
    assert [d["DatasetArn"] for d in described[0]["Datasets"]] == [arn]
    assert error(rekognition.delete_project, ProjectArn=project) == "ResourceInUseException"
    rekognition.delete_dataset(DatasetArn=arn)
    assert rekognition.delete_project(ProjectArn=project)["Status"] == "DELETING"
    assert error(rekognition.describe_project_versions, ProjectArn=project) == (
        "ResourceNotFoundException"
    )


def test_what_the_model_of_the_service_forbids_is_refused(rekognition: Any) -> None:
    """Given a name with a slash, when a project is made, then it is refused."""
    assert error(rekognition.create_project, ProjectName="a/b") == "InvalidParameterException"
    assert error(rekognition.create_project, ProjectName="a", Feature="CONTENT_MODERATION") == (
        "InvalidParameterException"
    )
