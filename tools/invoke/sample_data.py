"""The sample data in the embedded stack: what the functions find that get a sample event."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from loupe.domain.detection import Detection, DetectionState, Label
from loupe.domain.keys import ImageRef, timestamp
from loupe.domain.labelled_images import Split
from loupe.domain.review import Answer, Review, ReviewPurpose, ReviewState, render_output
from loupe.domain.versions import Service, Version, VersionStatus
from loupe.faults import code_of
from loupe.services.payloads import output_from_json
from loupe.services.sampling import SAMPLING
from loupe.wiring import Deps
from loupe_cli.target import Target
from tools.invoke.models import AT, CHAMPION, IMAGES, LABELS, picture, running
from tools.invoke.samples import BUCKET, sample, stored_object

NAME = "loupe-samples"
"""Of all that is made, but the bucket: its name is the one that the events have."""
MODELS = f"{NAME}-models"
"""The project of the two versions; ProvisionProject makes one called NAME."""
EXISTS = (
    "BucketAlreadyOwnedByYou",
    "ResourceAlreadyExistsException",
    "StateMachineAlreadyExists",
)


class SampleData:
    """The data of the sample events in the embedded stack of `target`."""

    def __init__(self, target: Target) -> None:
        self._target = target

    @cached_property
    def variables(self) -> dict[str, str]:
        """What a function finds in place of the names of the stack's own resources, which are made
        unless they are there."""
        return {
            "LOUPE_BUCKET": BUCKET,
            "LOUPE_TABLE": NAME,
            "LOUPE_PROJECT": self._project(),
            "LOUPE_A2I_FLOW": "",
            "LOUPE_TOPIC": self._client("sns").create_topic(Name=NAME)["TopicArn"],
            "LOUPE_BUS": NAME,
            "LOUPE_DETECT_MACHINE": self._machine(),
        }

    @cached_property
    def deps(self) -> Deps:
        """Loupe's adapters on the samples."""
        stack = {"LOUPE_STACK": self._target.name}
        return Deps(self.variables | stack, self._target.session)

    def bring_to(self, function: str) -> dict[str, str]:
        """Bring the data to where the sample event of `function` begins.

        Returns what is to be replaced in the event: S3 gives an object another version.
        """
        self._make()
        self.upload_image()
        if function in STEPS:
            STEPS[function](self)
        return self._replaced

    # Steps

    def upload_image(self) -> None:
        """The image that the events speak of."""
        named = ImageRef(**sample("detect_labels")["image"])
        self.deps.objects.write(named.key, picture("crate", 417), "image/png")
        self.image = self.deps.objects.current(named.key).image
        self._replaced = {
            named.version: self.image.version,
            named.etag: self.image.etag,
            str(named.size): str(self.image.size),
        }

    def receive(self) -> Detection:
        """The image has a record."""
        return self.deps.detections.receive(self.image, timestamp(self.deps.clock()))

    def read(self) -> None:
        """The champion was sure of the image, and the next one that is read is sampled."""
        accepted = replace(
            self.receive(),
            state=DetectionState.ACCEPTED,
            labels=(Label("crate", 93.27),),
            version=CHAMPION,
            detected_at=timestamp(self.deps.clock()),
        )
        self.deps.detections.move(accepted, DetectionState.WAITING)
        carried = self.deps.parameters.settings().sampling_interval - 1
        self.deps.pointers.save(SAMPLING, {"pointer": "", "carried": carried})

    def ask(self) -> Review:
        """The image is in review."""
        asked = sample("request_review")
        answer = output_from_json(asked["answer"])
        review = Review(
            id=sample("answer_review")["review"],
            image=self.image,
            purpose=ReviewPurpose.UNSURE,
            state=ReviewState.OPEN,
            at=timestamp(self.deps.clock()),
            labels=LABELS,
            reviewers=1,
            guess=answer.labels,
            version=CHAMPION,
        )
        detection = replace(
            self.receive(), state=DetectionState.REVIEW, review=review.id, version=CHAMPION
        )
        self.deps.reviews.put_new(review)
        self.deps.detections.move(detection, DetectionState.WAITING)
        return review

    def answer(self) -> None:
        """A person's answer to the review stands in the bucket."""
        named = stored_object("record_review")
        answer = Answer("ann", "crate", timestamp(self.deps.clock()))
        output = render_output(replace(self.ask(), answers=(answer,)), NAME)
        self.deps.objects.write(named["key"], output.encode(), "application/json")
        written = self.deps.objects.current(named["key"]).image
        self._replaced[named["version-id"]] = written.version

    def label(self) -> None:
        """A labelled image has come."""
        key = stored_object("register_image")["key"]
        self.deps.objects.write(key, picture("crate", 417), "image/png")

    def lease(self) -> None:
        """The execution of the event holds the lease."""
        self.deps.versions.take_lease(sample("close_training")["execution"], over="")

    def forget_project(self) -> None:
        """The project that ProvisionProject makes does not exist."""
        rekognition = self._client("rekognition")
        name = sample("provision_project")["ResourceProperties"]["ProjectName"]
        for project in rekognition.describe_projects(ProjectNames=[name])["ProjectDescriptions"]:
            rekognition.delete_project(ProjectArn=project["ProjectArn"])

    # What is made

    def _make(self) -> None:
        """The bucket, the bus, the models, and a table that begins anew."""
        s3 = self._client("s3")
        _create(lambda: s3.create_bucket(Bucket=BUCKET))
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        _create(lambda: self._client("events").create_event_bus(Name=NAME))
        self._make_table()
        self._make_versions()

    def _client(self, service: str) -> Any:
        return self._target.client(service)

    def _project(self) -> str:
        rekognition = self._client("rekognition")
        projects = rekognition.describe_projects(ProjectNames=[MODELS])["ProjectDescriptions"]
        project = projects[0] if projects else rekognition.create_project(ProjectName=MODELS)
        return str(project["ProjectArn"])

    def _machine(self) -> str:
        """A machine that stands for `detect`: it succeeds, whatever it gets."""
        states = self._client("stepfunctions")
        deployed = self._target.resource("DetectMachine")
        definition = {"StartAt": "Read", "States": {"Read": {"Type": "Succeed"}}}
        request = {
            "name": f"{NAME}-detect",
            "type": "EXPRESS",
            "definition": json.dumps(definition),
            "roleArn": states.describe_state_machine(stateMachineArn=deployed)["roleArn"],
        }
        _create(lambda: states.create_state_machine(**request))
        return f"{deployed.rpartition(':')[0]}:{request['name']}"

    def _make_table(self) -> None:
        dynamodb = self._client("dynamodb")
        deployed = dynamodb.describe_table(TableName=self._target.resource("Table"))["Table"]
        if NAME in dynamodb.list_tables()["TableNames"]:
            dynamodb.delete_table(TableName=NAME)
            dynamodb.get_waiter("table_not_exists").wait(TableName=NAME)
        dynamodb.create_table(
            TableName=NAME,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=deployed["AttributeDefinitions"],
            KeySchema=deployed["KeySchema"],
            GlobalSecondaryIndexes=[
                {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
                for index in deployed["GlobalSecondaryIndexes"]
            ],
        )

    def _make_versions(self) -> None:
        """The champion is in service; the challenger is trained and to be compared."""
        versions = self.deps.versions
        for name, state in running(self.deps).items():
            number = int(name.removeprefix("v"))
            counts = {split: len(LABELS) * len(numbers) for split, numbers in IMAGES.items()}
            version = Version(
                name=name,
                status=VersionStatus.TRAINING,
                at=AT,
                labels=LABELS,
                arn=state.arn,
                f1=state.f1,
                training_images=counts[Split.TRAIN],
                holdout_images=counts[Split.TEST],
            )
            versions.begin(version, number - 1)
        champion = versions.get(CHAMPION)
        versions.promote(champion, Service(), timestamp(self.deps.clock()), "it is good", [])


STEPS: Mapping[str, Callable[[SampleData], object]] = {
    "RecordDetection": SampleData.receive,
    "RequestReview": SampleData.receive,
    "SampleReviews": SampleData.read,
    "AnswerReview": SampleData.ask,
    "RecordReview": SampleData.answer,
    "RecordReport": SampleData.read,
    "RegisterImage": SampleData.label,
    "CloseTraining": SampleData.lease,
    "ProvisionProject": SampleData.forget_project,
}
"""What a function's sample event needs beside the image and the versions."""


def _create(create: Callable[[], object]) -> None:
    """Make something unless it is there."""
    try:
        create()
    except ClientError as error:
        if code_of(error) not in EXISTS:
            raise
