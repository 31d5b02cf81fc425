"""Webhooks: tries after the first, and a dead-letter queue at the end, both of which MiniStack
lacks."""

import contextvars
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from ministack.core import arn
from ministack.services import eventbridge

from loupe_local.credentials import Credentials
from loupe_local.deliveries import Delivery
from loupe_local.environment import REGION
from loupe_local.http.wire import Json

logger = logging.getLogger("loupe.webhooks")

DAY = 86_400
RETRIES = 185
"""What EventBridge does when a rule says nothing else."""

_event: contextvars.ContextVar[Json | None] = contextvars.ContextVar("loupe_event", default=None)


def apply(take: Callable[[Delivery], None]) -> None:
    """Lets posts be made from rows that outlive a restart: `take` gets them."""
    invoke = eventbridge._invoke_target

    def invoke_target(target: Json, event: Json, rule: Json, view: Any = None) -> None:
        matched: eventbridge._EventView = view or eventbridge._pattern_event_view(event)
        token = _event.set(matched.event_with_detail())
        try:
            invoke(target, event, rule, view)
        finally:
            _event.reset(token)

    def dispatch(spec: arn.Arn, payload: str, target: Json) -> None:
        name = spec.resource.split("/", 2)[1]
        destination = eventbridge._api_destinations.get(name)
        connection_name = (destination or {}).get("ConnectionArn", "").split("/")[1:2]
        connection = eventbridge._connections.get(connection_name[0]) if connection_name else None
        if not destination or not connection:
            logger.warning("the webhook %s or its connection is gone", name)
            return
        request = eventbridge._build_api_destination_request(
            destination, connection, target.get("HttpParameters") or {}, payload
        )
        request["headers"] |= eventbridge._connection_auth_headers(connection, None)
        take(_delivery(request, target))

    eventbridge._invoke_target = invoke_target
    eventbridge._dispatch_to_api_destination = dispatch


def post(request: Json) -> int:
    """Posts once; returns the status."""
    return int(eventbridge._api_destination_send_sync(request, {}))


class DeadLetters:
    """Puts what was given up into the dead-letter queue that its rule names."""

    def __init__(self, endpoint: str, root: Credentials) -> None:
        self._endpoint = endpoint
        self._root = root

    def __call__(self, delivery: Delivery, reason: str) -> None:
        """As EventBridge does: the event is the message, the rest are its attributes."""
        logger.warning("%s gave up: %s", delivery.target, reason)
        if not delivery.dead_letters:
            return
        client = boto3.client(
            "sqs",
            endpoint_url=self._endpoint,
            region_name=REGION,
            aws_access_key_id=self._root.key_id,
            aws_secret_access_key=self._root.secret,
        )
        queue = client.get_queue_url(QueueName=delivery.dead_letters.rpartition(":")[2])
        attributes = {"TARGET_ARN": delivery.target, "ERROR_MESSAGE": reason}
        client.send_message(
            QueueUrl=queue["QueueUrl"],
            MessageBody=json.dumps(delivery.event),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in attributes.items()
            },
        )


def _delivery(request: Json, target: Mapping[str, Any]) -> Delivery:
    policy = target.get("RetryPolicy") or {}
    return Delivery(
        request=request,
        event=_event.get() or {},
        target=target["Arn"],
        dead_letters=(target.get("DeadLetterConfig") or {}).get("Arn", ""),
        seconds=float(policy.get("MaximumEventAgeInSeconds", DAY)),
        retries=int(policy.get("MaximumRetryAttempts", RETRIES)),
    )
