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
from loupe.adapters.objects import Objects
from loupe.adapters.parameters import Parameters
from loupe.adapters.pointers import Pointers
from loupe.adapters.presigned_urls import PresignedUrls
from loupe.adapters.publisher import Publisher
from loupe.adapters.queue import DetectionQueue, ReviewQueue
from loupe.adapters.records import Records
from loupe.adapters.rekognition import Rekognition
from loupe.adapters.reviews import Reviews
from loupe.adapters.running import Running
from loupe.adapters.schedules import EventSource, Schedules
from loupe.adapters.setting_changes import SettingChanges
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
        # The prefix "sync-" of StartSyncExecution's host has no meaning at a given address.
        given = bool(environment.get("AWS_ENDPOINT_URL"))
        self._config = Config(
            # All attempts end before the function does, which then says what did not answer. One
            # that has little time, or more to do without that answer, is given fewer.
            retries={
                "mode": "standard",
                "total_max_attempts": int(environment.get("LOUPE_ATTEMPTS", ATTEMPTS)),
            },
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            inject_host_prefix=not given,
        )

    def clock(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def value(self, name: str) -> str:
        """An environment variable that the template sets; a missing one names itself."""
        return self._environment[f"LOUPE_{name}"]

    def client(self, service: str) -> Any:
        """A boto3 client."""
        return self._session.client(service, config=self._config)  # type: ignore[call-overload]

    @cached_property
    def table(self) -> Table:
        resource = self._session.resource("dynamodb", config=self._config)
        return Table(resource.Table(self.value("TABLE")))

    @cached_property
    def detections(self) -> Detections:
        return Detections(self.table)

    @cached_property
    def reviews(self) -> Reviews:
        return Reviews(self.table)

    @cached_property
    def dataset(self) -> Dataset:
        return Dataset(self.table)

    @cached_property
    def versions(self) -> Versions:
        return Versions(self.table)

    @cached_property
    def running(self) -> Running:
        return Running(self.table)

    @cached_property
    def turns(self) -> Turns:
        return Turns(self.table)

    @cached_property
    def events(self) -> EventLog:
        return EventLog(self.table)

    @cached_property
    def pointers(self) -> Pointers:
        return Pointers(self.table)

    @cached_property
    def earlier_conflicts(self) -> EarlierConflicts:
        return EarlierConflicts(self.table, self.value("BUCKET"))

    @cached_property
    def records(self) -> Records:
        return Records(self.table)

    @property
    def is_billed(self) -> bool:
        """Whether AWS bills for what runs: its services are reached at no address of our own."""
        return not self._environment.get("AWS_ENDPOINT_URL")

    @cached_property
    def objects(self) -> Objects:
        return Objects(self.client("s3"), self.value("BUCKET"))

    @cached_property
    def presigned_urls(self) -> PresignedUrls:
        # Signed for the Region and with its own host: the global one redirects for a day after a
        # bucket is made, and does not know newer Regions. At a given address there is no such host.
        at_given_address = bool(self._environment.get("AWS_ENDPOINT_URL"))
        signing = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if at_given_address else "virtual"},
        )
        client = self._session.client("s3", config=self._config.merge(signing))
        return PresignedUrls(client, self.value("BUCKET"))

    @cached_property
    def rekognition(self) -> Rekognition:
        return self.project(self.value("PROJECT"))

    def project(self, arn: str) -> Rekognition:
        """The Rekognition project with this ARN ("": one that is yet to be made)."""
        return Rekognition(self.client("rekognition"), arn)

    @cached_property
    def cloudformation(self) -> CloudFormation:
        return CloudFormation(self.client("cloudformation"), self.client("lambda"))

    @cached_property
    def workforce(self) -> Workforce:
        return Workforce(self.client("sagemaker"))

    def flows(self, stack: str) -> Flows:
        """Amazon A2I's task pages and flow definitions of a stack."""
        runtime = self.client("sagemaker-a2i-runtime")
        return Flows(self.client("sagemaker"), runtime, stack, self.clock())

    @property
    def sign_in_endpoint(self) -> str:
        """Where Amazon Cognito signs people in."""
        return str(self.client("cognito-idp").meta.endpoint_url)

    @cached_property
    def parameters(self) -> Parameters:
        return Parameters(self.client("ssm"), self.value("STACK"))

    @cached_property
    def setting_changes(self) -> SettingChanges:
        return SettingChanges(self.table)

    @cached_property
    def queue(self) -> DetectionQueue:
        return DetectionQueue(self.client("sqs"), self.value("DETECTION_QUEUE"))

    @cached_property
    def review_queue(self) -> ReviewQueue:
        return ReviewQueue(self.client("sqs"), self.value("REVIEW_QUEUE"))

    @cached_property
    def executions(self) -> Executions:
        patient = self._config.merge(Config(read_timeout=SYNC_EXECUTION_SECONDS))
        return Executions(
            self.client("stepfunctions"), self._session.client("stepfunctions", config=patient)
        )

    @cached_property
    def schedules(self) -> Schedules:
        return Schedules(self.client("scheduler"))

    @cached_property
    def event_source(self) -> EventSource:
        return EventSource(self.client("lambda"), self.value("DETECTION_SOURCE"))

    @cached_property
    def publisher(self) -> Publisher:
        return Publisher(
            self.client("sns"),
            self.client("events"),
            topic=self.value("TOPIC"),
            bus=self.value("BUS"),
            stack=self.value("STACK"),
        )

    @cached_property
    def loops(self) -> HumanLoops | None:
        """Amazon A2I, or None where reviews are answered in Loupe itself."""
        flow = self._environment.get("LOUPE_A2I_FLOW", "")
        return HumanLoops(self.client("sagemaker-a2i-runtime"), flow) if flow else None


@lru_cache(maxsize=1)
def deps() -> Deps:
    """The process's dependencies."""
    return Deps(os.environ)
