"""Amazon A2I: the human loops of reviews."""

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from loupe.domain.human_loops import LoopState, LoopStatus
from loupe.domain.review import Review, loop_input
from loupe.errors import TryAgain
from loupe.faults import code_of, ignoring

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_a2i_runtime import AugmentedAIRuntimeClient


NOT_FOUND = "ResourceNotFoundException"


class HumanLoops:
    """`client` is `boto3.client("sagemaker-a2i-runtime")`.

    `flow_arn` is the common prefix of three flow definitions, `<flow_arn>-1` to `<flow_arn>-3`; the
    number is that of people who answer.
    """

    def __init__(self, client: "AugmentedAIRuntimeClient", flow_arn: str) -> None:
        self._client = client
        self._flow = flow_arn

    def start(self, review: Review, name: str) -> None:
        """Start the loop `name` of a review; a second start of the same name changes nothing.

        Raises TryAgain for every error of the service: the housekeeping tries again each minute,
        and a missing flow definition may be in creation.
        """
        try:
            self._client.start_human_loop(
                HumanLoopName=name,
                FlowDefinitionArn=f"{self._flow}-{review.reviewers}",
                HumanLoopInput={"InputContent": json.dumps(loop_input(review), ensure_ascii=False)},
            )
        except ClientError as error:
            if code_of(error) != "ConflictException":
                message = error.response["Error"].get("Message")
                raise TryAgain(f"Amazon A2I: {code_of(error)}: {message}") from error

    def stop(self, name: str) -> None:
        """Stop a loop that nobody needs to answer any more."""
        with ignoring(NOT_FOUND):
            self._client.stop_human_loop(HumanLoopName=name)

    def is_open(self, name: str) -> bool:
        """Whether people can still answer a loop."""
        return self.state(name).status == LoopStatus.IN_PROGRESS

    def state(self, name: str) -> LoopState:
        """The state of a loop; one that the service no longer knows has failed."""
        with ignoring(NOT_FOUND):
            loop = self._client.describe_human_loop(HumanLoopName=name)
            output = loop.get("HumanLoopOutput", {}).get("OutputS3Uri", "")
            return LoopState(loop["HumanLoopStatus"], output, loop.get("FailureReason", ""))
        return LoopState(LoopStatus.FAILED, reason="Amazon A2I does not know it any more")
