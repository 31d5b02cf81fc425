"""The only place where clients are built and the environment is read: once a process."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

import boto3
from botocore.config import Config

from loupe.adapters.cloudformation import CloudFormation
from loupe.adapters.dataset import Dataset
from loupe.adapters.detections import Detections
from loupe.adapters.earlier_conflicts import EarlierConflicts
from loupe.adapters.event_log import EventLog
from loupe.adapters.executions import Executions
from loupe.adapters.flows import Flows
from loupe.adapters.human_loops import HumanLoops
from loupe.adapters.labels import Labels
from loupe.adapters.objects import Objects
from loupe.adapters.observations import Observations
from loupe.adapters.parameters import Parameters
from loupe.adapters.pointers import Pointers
from loupe.adapters.presigned_urls import PresignedUrls
from loupe.adapters.publisher import Publisher
from loupe.adapters.queue import DetectionQueue, ReviewQueue
from loupe.adapters.records import Records
from loupe.adapters.rekognition import Rekognition
from loupe.adapters.reliabilities import ReliabilityCounts
from loupe.adapters.reviews import Reviews
from loupe.adapters.running import Running
from loupe.adapters.schedules import EventSource, Schedules
from loupe.adapters.setting_changes import SettingChanges
from loupe.adapters.suspects import Suspects
from loupe.adapters.table import Table
from loupe.adapters.turns import Turns
from loupe.adapters.versions import Versions
from loupe.adapters.workforce import Workforce

CONNECT_SECONDS = 3
READ_SECONDS = 10
ATTEMPTS = 3
SYNC_EXECUTION_SECONDS = 310
"""An Express execution runs for five minutes at most."""


class Deps:
    """Every effect that a handler may need, built when it is first used."""

    def __init__(
        self, environment: Mapping[str, str], session: "boto3.session.Session | None" = None
    ) -> None:
        self._environment = environment
        self._session = session or boto3.session.Session()
        attempts = int(environment.get("LOUPE_ATTEMPTS", ATTEMPTS))
        self._config = Config(
            # All attempts end before the function does, which can then report what did not answer.
            # A function with little time, or with more to do without that answer, has fewer.
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            # The prefix "sync-" of StartSyncExecution's host does not exist at another endpoint.
            inject_host_prefix=self.is_billed,
        )

    @property
    def is_billed(self) -> bool:
        """Whether AWS bills for what runs: its services are not reached at an endpoint of ours."""
        return not self._environment.get("AWS_ENDPOINT_URL")

    def clock(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def value(self, name: str) -> str:
        """An environment variable that the template sets; a missing one names itself."""
        return self._environment[f"LOUPE_{name}"]

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client; `options` are those of botocore's Config."""
        config = self._config.merge(Config(**options))
        return self._session.client(service, config=config)  # type: ignore[call-overload]

    @cached_property
    def table(self) -> Table:
        resource = self._session.resource("dynamodb", config=self._config)
        return Table(resource.Table(self.value("TABLE")))

    detections = cached_property(lambda self: Detections(self.table))
    reviews = cached_property(lambda self: Reviews(self.table))
    observations = cached_property(lambda self: Observations(self.table))
    reliabilities = cached_property(lambda self: ReliabilityCounts(self.table))
    labels = cached_property(lambda self: Labels(self.table))
    dataset = cached_property(lambda self: Dataset(self.table))
    suspects = cached_property(lambda self: Suspects(self.table))
    versions = cached_property(lambda self: Versions(self.table))
    running = cached_property(lambda self: Running(self.table))
    turns = cached_property(lambda self: Turns(self.table))
    events = cached_property(lambda self: EventLog(self.table))
    pointers = cached_property(lambda self: Pointers(self.table))
    records = cached_property(lambda self: Records(self.table))
    setting_changes = cached_property(lambda self: SettingChanges(self.table))
    earlier_conflicts = cached_property(
        lambda self: EarlierConflicts(self.table, self.value("BUCKET"))
    )
    objects = cached_property(lambda self: Objects(self.client("s3"), self.value("BUCKET")))
    rekognition = cached_property(
        lambda self: Rekognition(self.client("rekognition"), self.value("PROJECT"))
    )
    workforce = cached_property(lambda self: Workforce(self.client("sagemaker")))
    schedules = cached_property(lambda self: Schedules(self.client("scheduler")))
    parameters = cached_property(lambda self: Parameters(self.client("ssm"), self.value("STACK")))
    cloudformation = cached_property(
        lambda self: CloudFormation(self.client("cloudformation"), self.client("lambda"))
    )
    queue = cached_property(
        lambda self: DetectionQueue(self.client("sqs"), self.value("DETECTION_QUEUE"))
    )
    review_queue = cached_property(
        lambda self: ReviewQueue(self.client("sqs"), self.value("REVIEW_QUEUE"))
    )
    event_source = cached_property(
        lambda self: EventSource(self.client("lambda"), self.value("DETECTION_SOURCE"))
    )

    @cached_property
    def presigned_urls(self) -> PresignedUrls:
        # Signed for the Region and its own host: the global host redirects for a day after a bucket
        # is made, and does not know newer Regions. Another endpoint has no host for a bucket.
        style = "virtual" if self.is_billed else "path"
        client = self.client("s3", signature_version="s3v4", s3={"addressing_style": style})
        return PresignedUrls(client, self.value("BUCKET"))

    def project(self, arn: str) -> Rekognition:
        """The Rekognition project with this ARN ("": one that does not exist yet)."""
        return Rekognition(self.client("rekognition"), arn)

    def flows(self, stack: str) -> Flows:
        """Amazon A2I's task pages and flow definitions of a stack."""
        runtime = self.client("sagemaker-a2i-runtime")
        return Flows(self.client("sagemaker"), runtime, stack, self.clock())

    @property
    def sign_in_endpoint(self) -> str:
        """Where Amazon Cognito signs people in."""
        return str(self.client("cognito-idp").meta.endpoint_url)

    @cached_property
    def executions(self) -> Executions:
        patient = self.client("stepfunctions", read_timeout=SYNC_EXECUTION_SECONDS)
        return Executions(self.client("stepfunctions"), patient)

    @cached_property
    def publisher(self) -> Publisher:
        sns, events = self.client("sns"), self.client("events")
        topic, bus, stack = map(self.value, ("TOPIC", "BUS", "STACK"))
        return Publisher(sns, events, topic, bus, stack)

    @cached_property
    def loops(self) -> HumanLoops | None:
        """Amazon A2I, or None where reviews are answered in Loupe itself."""
        # Not given is not "none": between two releases, human loops must not be taken for lost.
        flow = self.value("A2I_FLOW")
        return HumanLoops(self.client("sagemaker-a2i-runtime"), flow) if flow else None


@lru_cache(maxsize=1)
def deps() -> Deps:
    """The process's dependencies."""
    return Deps(os.environ)
