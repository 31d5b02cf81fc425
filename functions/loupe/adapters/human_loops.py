"""Amazon A2I: human loops for reviews, and the flow definition and page that they use."""

import json
from typing import Any

from botocore.exceptions import ClientError

from loupe.domain.review import Review, loop_input


class HumanLoops:
    """`client` is `boto3.client("sagemaker-a2i-runtime")`."""

    def __init__(self, client: Any, flow_arn: str) -> None:
        self._client = client
        self._flow = flow_arn

    def start(self, review: Review) -> None:
        """Start the loop of a review. Its name makes a second start harmless."""
        try:
            self._client.start_human_loop(
                HumanLoopName=review.id,
                FlowDefinitionArn=self._flow,
                HumanLoopInput={"InputContent": json.dumps(loop_input(review), ensure_ascii=False)},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConflictException":
                raise

    def stop(self, review_id: str) -> None:
        """Stop the loop of a review that nobody needs to answer any more."""
        try:
            self._client.stop_human_loop(HumanLoopName=review_id)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
