"""Amazon A2I: task pages and flow definitions, which the service creates and deletes, not changes.

A generation is a page with three flow definitions, which ask one, two and three people. Its name is
`<stack>-<hash of its properties>`; the flow definitions add `-1`, `-2` and `-3`. So equal
properties give the same generation, and other properties a new one beside it.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from loupe.faults import ignoring

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import DescribeFlowDefinitionResponseTypeDef
    from mypy_boto3_sagemaker_a2i_runtime import AugmentedAIRuntimeClient

TASK_SECONDS = 3600
AVAILABLE_SECONDS = 864_000
"""Ten days, the longest that Amazon A2I keeps a task open."""
MOST_REVIEWERS = 3
LOOPS_PER_CALL = 100
POLL_SECONDS = 2
IN_USE = "ResourceInUse"
MISSING = ("ResourceNotFound", "ResourceNotFoundException")


@dataclass(frozen=True)
class FlowSpec:
    """The properties of a generation."""

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
        # No task is open for longer, so older loops need no check.
        self._since = now - timedelta(seconds=2 * AVAILABLE_SECONDS)
        self._sagemaker = sagemaker
        self._runtime = runtime
        self._stack = stack
        self._name = re.compile(rf"({re.escape(stack)}-[0-9a-f]{{8}})(-[1-{MOST_REVIEWERS}])?")

    def make(self, spec: FlowSpec) -> str:
        """Create what is missing of a generation; returns the common prefix of its flows' ARNs.

        Raises RuntimeError with the service's reason when a flow definition fails.
        """
        page = self._make_page(spec)
        numbers = range(1, MOST_REVIEWERS + 1)
        for reviewers in numbers:
            self._make_flow(spec, f"{spec.name}-{reviewers}", page, reviewers)
        arns = [self._wait_until_active(f"{spec.name}-{number}") for number in numbers]
        return arns[0].removesuffix("-1")

    def retire(self, keep: str) -> None:
        """Delete generations other than `keep` in which no task is open."""
        in_use = {flow.rpartition("-")[0] for flow in self._flows() if self._has_open_loop(flow)}
        self._delete(in_use | {keep})

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
        with ignoring(IN_USE):
            return self._sagemaker.create_human_task_ui(
                HumanTaskUiName=spec.name, UiTemplate={"Content": spec.page}
            )["HumanTaskUiArn"]
        page = self._sagemaker.describe_human_task_ui(HumanTaskUiName=spec.name)
        return page["HumanTaskUiArn"]

    def _make_flow(self, spec: FlowSpec, name: str, page: str, reviewers: int) -> None:
        with ignoring(IN_USE):
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

    def _wait_until_active(self, name: str) -> str:
        while (flow := self._describe(name))["FlowDefinitionStatus"] == "Initializing":
            time.sleep(POLL_SECONDS)
        if flow["FlowDefinitionStatus"] != "Active":
            reason = flow.get("FailureReason", "")
            raise RuntimeError(f"the flow definition {name} failed: {reason}")
        return flow["FlowDefinitionArn"]

    def _describe(self, name: str) -> "DescribeFlowDefinitionResponseTypeDef":
        return self._sagemaker.describe_flow_definition(FlowDefinitionName=name)

    def _flows(self) -> Iterator[str]:
        """Names of the stack's flow definitions, of every generation."""
        for page in self._sagemaker.get_paginator("list_flow_definitions").paginate():
            names = [flow["FlowDefinitionName"] for flow in page["FlowDefinitionSummaries"]]
            yield from filter(self._name.fullmatch, names)

    def _pages(self) -> Iterator[str]:
        for page in self._sagemaker.get_paginator("list_human_task_uis").paginate():
            names = [task_page["HumanTaskUiName"] for task_page in page["HumanTaskUiSummaries"]]
            yield from filter(self._name.fullmatch, names)

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
            with ignoring(*MISSING):
                self._sagemaker.delete_flow_definition(FlowDefinitionName=flow)
        for page in [name for name in self._pages() if name not in keep]:
            with ignoring(*MISSING):
                self._sagemaker.delete_human_task_ui(HumanTaskUiName=page)
