"""Amazon A2I: task pages and flow definitions, which the service can make and delete, not change.

What is made together is a generation: a page and three flow definitions, which ask one, two and
three people. Its name is `<stack>-<hash of what it is made of>`; the flow definitions add `-1`,
`-2` and `-3`. So the same properties give the same generation, and others a new one beside it.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_a2i_runtime import AugmentedAIRuntimeClient

TASK_SECONDS = 3600
AVAILABLE_SECONDS = 864_000
"""Ten days, the longest that Amazon A2I keeps a task open."""
MOST_REVIEWERS = 3
LOOPS_PER_CALL = 100
POLL_SECONDS = 2
GONE = ("ResourceNotFound", "ResourceNotFoundException")


@dataclass(frozen=True)
class FlowSpec:
    """What a generation is made of."""

    name: str
    page: str
    title: str
    workteam: str
    role: str
    output: str


class Flows:
    """`sagemaker` and `runtime` are boto3 clients of `sagemaker` and `sagemaker-a2i-runtime`."""

    def __init__(
        self,
        sagemaker: "SageMakerClient",
        runtime: "AugmentedAIRuntimeClient",
        stack: str,
        now: datetime,
    ) -> None:
        # No task is open longer: older loops need not be looked through.
        self._since = now - timedelta(seconds=2 * AVAILABLE_SECONDS)
        self._sagemaker = sagemaker
        self._runtime = runtime
        self._stack = stack
        self._name = re.compile(rf"({re.escape(stack)}-[0-9a-f]{{8}})(-[1-{MOST_REVIEWERS}])?")

    def make(self, spec: FlowSpec) -> str:
        """Make a generation, or what of it is missing; returns the ARN that its flows begin with.

        Raises RuntimeError with the service's reason when a flow definition fails.
        """
        page = self._make_page(spec)
        for reviewers in range(1, MOST_REVIEWERS + 1):
            self._make_flow(spec, f"{spec.name}-{reviewers}", page, reviewers)
        arns = [
            self._wait_until_active(f"{spec.name}-{number}")
            for number in range(1, MOST_REVIEWERS + 1)
        ]
        return arns[0].removesuffix("-1")

    def retire(self, keep: str) -> None:
        """Delete generations other than `keep` in which no task is open."""
        open_ones = {flow.rpartition("-")[0] for flow in self._flows() if self._has_open_loop(flow)}
        self._delete(open_ones | {keep})

    def remove(self, is_late: Callable[[], bool]) -> None:
        """Stop every task and delete every generation; raises TimeoutError when `is_late()`."""
        for flow in list(self._flows()):
            for loop in list(self._open_loops(flow)):
                self._runtime.stop_human_loop(HumanLoopName=loop)
        while any(self._has_open_loop(flow) for flow in list(self._flows())):
            if is_late():
                raise TimeoutError("human loops are still being stopped; delete the stack again")
            time.sleep(POLL_SECONDS)
        self._delete(set())

    def _make_page(self, spec: FlowSpec) -> str:
        try:
            made = self._sagemaker.create_human_task_ui(
                HumanTaskUiName=spec.name, UiTemplate={"Content": spec.page}
            )
            return str(made["HumanTaskUiArn"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceInUse":
                raise
        found = self._sagemaker.describe_human_task_ui(HumanTaskUiName=spec.name)
        return str(found["HumanTaskUiArn"])

    def _make_flow(self, spec: FlowSpec, name: str, page: str, reviewers: int) -> None:
        try:
            self._sagemaker.create_flow_definition(
                FlowDefinitionName=name,
                HumanLoopConfig={
                    "WorkteamArn": spec.workteam,
                    "HumanTaskUiArn": page,
                    "TaskTitle": spec.title,
                    "TaskDescription": "Choose the one label that fits best.",
                    "TaskCount": reviewers,
                    "TaskTimeLimitInSeconds": TASK_SECONDS,
                    "TaskAvailabilityLifetimeInSeconds": AVAILABLE_SECONDS,
                },
                OutputConfig={"S3OutputPath": spec.output},
                RoleArn=spec.role,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceInUse":
                raise

    def _wait_until_active(self, name: str) -> str:
        while (found := self._describe(name))["FlowDefinitionStatus"] == "Initializing":
            time.sleep(POLL_SECONDS)
        if found["FlowDefinitionStatus"] != "Active":
            raise RuntimeError(
                f"the flow definition {name} failed: {found.get('FailureReason', '')}"
            )
        return str(found["FlowDefinitionArn"])

    def _describe(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._sagemaker.describe_flow_definition(FlowDefinitionName=name)
        return found

    def _flows(self) -> Iterator[str]:
        """Names of the stack's flow definitions, of every generation."""
        for page in self._sagemaker.get_paginator("list_flow_definitions").paginate():
            for found in page["FlowDefinitionSummaries"]:
                if self._name.fullmatch(found["FlowDefinitionName"]):
                    yield found["FlowDefinitionName"]

    def _pages(self) -> Iterator[str]:
        for page in self._sagemaker.get_paginator("list_human_task_uis").paginate():
            for found in page["HumanTaskUiSummaries"]:
                if self._name.fullmatch(found["HumanTaskUiName"]):
                    yield found["HumanTaskUiName"]

    def _open_loops(self, flow: str) -> Iterator[str]:
        """Names of the loops of a flow definition that have not ended, the newest first."""
        pages = self._runtime.get_paginator("list_human_loops").paginate(
            FlowDefinitionArn=self._describe(flow)["FlowDefinitionArn"],
            CreationTimeAfter=self._since,
            PaginationConfig={"PageSize": LOOPS_PER_CALL},
        )
        for page in pages:
            for loop in page["HumanLoopSummaries"]:
                if loop["HumanLoopStatus"] in ("InProgress", "Stopping"):
                    yield loop["HumanLoopName"]

    def _has_open_loop(self, flow: str) -> bool:
        return next(self._open_loops(flow), None) is not None

    def _delete(self, keep: set[str]) -> None:
        for flow in [name for name in self._flows() if name.rpartition("-")[0] not in keep]:
            self._ignore_gone(self._sagemaker.delete_flow_definition, FlowDefinitionName=flow)
        for page in [name for name in self._pages() if name not in keep]:
            self._ignore_gone(self._sagemaker.delete_human_task_ui, HumanTaskUiName=page)

    @staticmethod
    def _ignore_gone(remove: Any, **named: str) -> None:
        try:
            remove(**named)
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                raise
