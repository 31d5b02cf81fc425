"""SNS and EventBridge: domain events for subscribers."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef
    from mypy_boto3_sns import SNSClient

SOURCE = "loupe"


class Publisher:
    """`sns` and `events` are boto3 clients; `topic` an ARN; `bus` a name."""

    def __init__(
        self, sns: "SNSClient", events: "EventBridgeClient", topic: str, bus: str, stack: str
    ) -> None:
        self._sns = sns
        self._events = events
        self._topic = topic
        self._bus = bus
        self._stack = stack

    def publish(self, event: Mapping[str, Any]) -> None:
        """Publish one event to both. Raises when either refuses, so that it is tried again.

        Emails get the text, other subscribers the event as docs/event-schemas/ describe it.
        """
        document = json.dumps({**event, "stack": self._stack}, ensure_ascii=False)
        self._sns.publish(
            TopicArn=self._topic,
            Subject=_subject(event["subject"]),
            MessageStructure="json",
            Message=json.dumps({"default": document, "email": event["text"]}, ensure_ascii=False),
            MessageAttributes={
                "type": {"DataType": "String", "StringValue": event["type"]},
                "stack": {"DataType": "String", "StringValue": self._stack},
            },
        )
        entry: PutEventsRequestEntryTypeDef = {
            "Source": SOURCE,
            "DetailType": event["type"],
            "Detail": document,
            "EventBusName": self._bus,
        }
        response = self._events.put_events(Entries=[entry])
        if response["FailedEntryCount"]:
            raise RuntimeError(f"EventBridge refused {event['type']}: {response['Entries'][0]}")


def _subject(text: str) -> str:
    """SNS takes printable ASCII below 100 characters in a subject."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)[:99]
