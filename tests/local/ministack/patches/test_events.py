"""The events that MiniStack does not send, or not whole."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.local.stack_help import Client, eventually

Arrived = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def events(client: Client, request: pytest.FixtureRequest) -> Arrived:
    """All events that reach the default bus from here on."""
    name = request.node.name.replace("_", "-")[:60]
    sqs, bus = client("sqs"), client("events")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    bus.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.ssm", "aws.s3"]}))
    bus.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn["QueueArn"]}])
    found: list[dict[str, Any]] = []

    def look() -> list[dict[str, Any]]:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            found.append(json.loads(message["Body"]))
        return found

    return look


def test_a_parameter_change_is_announced(client: Client, events: Arrived) -> None:
    """When a parameter is made, changed and deleted, then three events say so."""
    ssm = client("ssm")
    ssm.put_parameter(Name="/stack/Labels", Value="a", Type="String")
    eventually(lambda: len(events()) == 1)
    ssm.put_parameter(Name="/stack/Labels", Value="b", Type="String", Overwrite=True)
    eventually(lambda: len(events()) == 2)
    ssm.delete_parameter(Name="/stack/Labels")
    eventually(lambda: len(events()) == 3)
    assert [event["detail"]["operation"] for event in events()] == ["Create", "Update", "Delete"]
    first = events()[0]
    assert first["detail"] == {"operation": "Create", "name": "/stack/Labels", "type": "String"}
    assert first["detail-type"] == "Parameter Store Change"
    assert first["resources"] == ["arn:aws:ssm:us-east-1:000000000000:parameter/stack/Labels"]


def test_a_refused_parameter_is_not_announced(client: Client, events: Arrived) -> None:
    """When a parameter is refused, then no event says that it changed."""
    ssm = client("ssm")
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.delete_parameter(Name="/stack/none")
    ssm.put_parameter(Name="/stack/one", Value="a", Type="String")
    with pytest.raises(ssm.exceptions.ParameterAlreadyExists):
        ssm.put_parameter(Name="/stack/one", Value="b", Type="String")
    ssm.delete_parameters(Names=["/stack/one", "/stack/none"])
    eventually(lambda: len(events()) == 2)
    assert [event["detail"]["operation"] for event in events()] == ["Create", "Delete"]


def test_an_object_of_a_versioned_bucket_is_announced_with_its_version(
    client: Client, events: Arrived
) -> None:
    """Given a versioned bucket, when an object arrives, then the event has its version."""
    s3 = client("s3")
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket="versioned", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    version = s3.put_object(Bucket="versioned", Key="a b é", Body=b"x")["VersionId"]
    event = eventually(events)[0]
    assert event["detail"]["object"]["version-id"] == version
    assert event["detail"]["object"]["key"] == "a b é"


def test_a_value_outside_its_pattern_is_refused(client: Client) -> None:
    """Given a parameter with a pattern, when a value that does not fit is put, then it is refused;
    but when it is overwritten without a pattern, it has none from then on."""
    ssm = client("ssm")
    mismatch = ssm.exceptions.ParameterPatternMismatchException
    given = {"Name": "/stack/number", "Type": "String"}
    with pytest.raises(mismatch):
        ssm.put_parameter(**given, Value="x", AllowedPattern="^[0-9]+$")
    ssm.put_parameter(**given, Value="1", AllowedPattern="^[0-9]+$")
    with pytest.raises(mismatch):
        ssm.put_parameter(**given, Value="x", AllowedPattern="^[0-9]+$", Overwrite=True)
    assert ssm.get_parameter(Name="/stack/number")["Parameter"]["Value"] == "1"
    ssm.put_parameter(**given, Value="x", Overwrite=True)
    assert ssm.get_parameter(Name="/stack/number")["Parameter"]["Value"] == "x"
