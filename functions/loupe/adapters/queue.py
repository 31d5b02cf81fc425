"""The queues of images to read and of review answers to record."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from loupe.domain.keys import ImageRef
from loupe.domain.object_events import s3_event

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MESSAGES_PER_CALL = 10


class Queue:
    """A queue with the address `url`. `client` is `boto3.client("sqs")`."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url


class DetectionQueue(Queue):
    """Messages of the shape that EventBridge delivers."""

    def is_empty(self) -> bool:
        """Whether no message waits or is being processed, by the queue's approximate counts."""
        attributes = self._client.get_queue_attributes(
            QueueUrl=self._url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return not any(map(int, attributes.values()))

    def send(self, images: Sequence[ImageRef]) -> None:
        """Queue images; raises unless the queue accepts all of them."""
        for start in range(0, len(images), MESSAGES_PER_CALL):
            batch = images[start : start + MESSAGES_PER_CALL]
            response = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "MessageBody": json.dumps(as_event(image))}
                    for number, image in enumerate(batch)
                ],
            )
            if failed := response.get("Failed"):
                raise RuntimeError(f"the queue refused {len(failed)} images: {failed[0]}")


class ReviewQueue(Queue):
    """Answers to record, and ends of human loops."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Queue an event of the shape that EventBridge delivers."""
        self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps(message))


def as_event(image: ImageRef, at: str = "") -> dict[str, Any]:
    """The `Object Created` event of an image that arrived `at` ("": it has a record)."""
    version = {"version-id": image.version} if image.version else {}
    event = s3_event(image.bucket, image.key, size=image.size, etag=image.etag, **version)
    return event | ({"time": at} if at else {})
