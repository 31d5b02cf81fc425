"""Messages in dead-letter queues: why they ended there, and back to where they came from."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from loupe.adapters.publisher import SOURCE, Publisher
from loupe.domain.keys import timestamp
from loupe.errors import TryAgain
from loupe.services.events import PUBLISHED
from loupe_cli.target import Target

QUEUES = {
    "DetectionDeadLetters": "DetectionQueue",
    "RegistrationDeadLetters": "RegistrationQueue",
    "ReviewDeadLetters": "ReviewQueue",
    "ReportDeadLetters": "ReportQueue",
    "DeadLetters": "",
}
"""Each dead-letter queue and where its messages belong ("": the message says it itself)."""
BUS = "the event bus"
STREAM = "the table's stream"
STREAM_BATCH = "DDBStreamBatchInfo"
MARGIN = timedelta(seconds=2)
"""The stream's times are of whole seconds, and approximate."""
MESSAGES_PER_CALL = 10
HIDDEN_SECONDS = 60
"""Seconds before the next look sees a message again."""


@dataclass(frozen=True)
class DeadLetter:
    """One message: what it was about, and why it ended there."""

    queue: str
    about: str
    reason: str
    times: int
    body: str
    receipt: str
    target: str


def letters(queue: str, target: Target) -> Iterator[DeadLetter]:
    """The messages of a dead-letter queue."""
    sqs = target.client("sqs")
    address = target.resource(queue)
    while True:
        answer = sqs.receive_message(
            QueueUrl=address,
            MaxNumberOfMessages=MESSAGES_PER_CALL,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
            MessageAttributeNames=["All"],
        )
        if not answer.get("Messages"):
            return
        for message in answer["Messages"]:
            yield _letter(queue, message, target)


def _letter(queue: str, message: dict[str, Any], target: Target) -> DeadLetter:
    attributes = {
        name: attribute["StringValue"]
        for name, attribute in message.get("MessageAttributes", {}).items()
    }
    where, target_arn = QUEUES[queue], attributes.get("TARGET_ARN", "")
    return DeadLetter(
        queue=queue,
        about=_about(message["Body"]),
        reason=attributes.get(
            "ERROR_MESSAGE", "it failed again and again; the functions' log says how"
        ),
        times=int(message.get("Attributes", {}).get("ApproximateReceiveCount", 0)),
        body=message["Body"],
        receipt=message["ReceiptHandle"],
        target=target.resource(where) if where else _way_back(target_arn, target),
    )


def _about(body: str) -> str:
    try:
        event = json.loads(body)
        if event.get("source") == SOURCE:
            return f"{event['detail-type']}: {event['detail']['subject']}"
        if STREAM_BATCH in event:
            return f"{event[STREAM_BATCH]['batchSize']} events that were not published"
        return str(event["detail"]["object"]["key"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return body[:100]


def _way_back(arn: str, target: Target) -> str:
    """What EventBridge could not reach: a queue's address, or the event bus for anything else.

    What the table's stream could not deliver has no target; it is published again.
    """
    if ":sqs:" in arn:
        name = arn.rpartition(":")[2]
        return str(target.client("sqs").get_queue_url(QueueName=name)["QueueUrl"])
    return BUS if arn else STREAM


def put_back(letter: DeadLetter, target: Target) -> None:
    """First sent, then deleted: work may be done twice, which does no harm, but is never lost."""
    sqs = target.client("sqs")
    if letter.target == BUS:
        _send_again(json.loads(letter.body), target)
    elif letter.target == STREAM:
        _publish_again(json.loads(letter.body)[STREAM_BATCH], target)
    else:
        sqs.send_message(QueueUrl=letter.target, MessageBody=letter.body)
    sqs.delete_message(QueueUrl=target.resource(letter.queue), ReceiptHandle=letter.receipt)


def _send_again(event: dict[str, Any], target: Target) -> None:
    """Every subscriber gets the event once more, and knows it by its id."""
    entry = {
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"], ensure_ascii=False),
        "EventBusName": target.outputs["EventBus"],
    }
    answer = target.client("events").put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise TryAgain(f"EventBridge refused {event['detail-type']}: {answer['Entries'][0]}")


def _publish_again(batch: dict[str, Any], target: Target) -> None:
    """The events of the time that the batch is from."""
    first = datetime.fromisoformat(batch["approximateArrivalOfFirstRecord"]) - MARGIN
    last = datetime.fromisoformat(batch["approximateArrivalOfLastRecord"]) + MARGIN
    publisher = Publisher(
        target.client("sns"),
        target.client("events"),
        topic=target.outputs["TopicArn"],
        bus=target.outputs["EventBus"],
        stack=target.name,
    )
    for item in target.deps.events.since(timestamp(first), timestamp(last)):
        publisher.publish({name: item[name] for name in PUBLISHED})


def release(letter: DeadLetter, target: Target) -> None:
    """Lets the next look see the message at once."""
    target.client("sqs").change_message_visibility(
        QueueUrl=target.resource(letter.queue), ReceiptHandle=letter.receipt, VisibilityTimeout=0
    )
