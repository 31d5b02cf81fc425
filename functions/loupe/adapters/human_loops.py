"""Amazon A2I: the human loops of reviews."""

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from loupe.domain.human_loops import LoopState, LoopStatus
from loupe.domain.review import Review, loop_input
from loupe.errors import TryAgain

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_a2i_runtime import AugmentedAIRuntimeClient


class HumanLoops:
    """`client` is `boto3.client("sagemaker-a2i-runtime")`.

    `flow_arn` is the common beginning of three flow definitions, which differ in how many people
    answer: `<flow_arn>-1` to `<flow_arn>-3`.
    """

    def __init__(self, client: "AugmentedAIRuntimeClient", flow_arn: str) -> None:
        self._client = client
        self._flow = flow_arn

    def start(self, review: Review, name: str) -> None:
        """Start the loop `name` of a review. Its name makes a second start harmless.

        Raises TryAgain, whatever the service says: there is another try every minute, and a flow
        definition that is not there may be on its way.
        """
        try:
            self._client.start_human_loop(
                HumanLoopName=name,
                FlowDefinitionArn=f"{self._flow}-{review.reviewers}",
                HumanLoopInput={"InputContent": json.dumps(loop_input(review), ensure_ascii=False)},
            )
        except ClientError as error:
            found = error.response["Error"]
            if found["Code"] != "ConflictException":
                raise TryAgain(f"Amazon A2I: {found['Code']}: {found.get('Message')}") from error

    def stop(self, name: str) -> None:
        """Stop a loop that nobody needs to answer any more."""
        try:
            self._client.stop_human_loop(HumanLoopName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise

    def is_open(self, name: str) -> bool:
        """Whether people can still answer a loop."""
        return self.state(name).status == LoopStatus.IN_PROGRESS

    def state(self, name: str) -> LoopState:
        """What the service says of a loop; one that it does not know has failed."""
        try:
            found = self._client.describe_human_loop(HumanLoopName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return LoopState(LoopStatus.FAILED, reason="Amazon A2I does not know it any more")
        return LoopState(
            found["HumanLoopStatus"],
            found.get("HumanLoopOutput", {}).get("OutputS3Uri", ""),
            found.get("FailureReason", ""),
        )
