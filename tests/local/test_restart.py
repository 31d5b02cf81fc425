"""What a crash leaves."""

import io
import json
import os
import signal
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest

from loupe_local import stack
from loupe_local.stack import Endpoint
from tests.local.stack_help import connect, eventually
from tests.ports import free_port

ROLE = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]
}


def crash(home: Path, endpoint: Endpoint) -> None:
    """Kills a server as the kernel would, and sees it gone."""
    os.kill(endpoint.pid, signal.SIGKILL)
    eventually(lambda: stack.running(home) is None)


def function(client: Any, role: str, name: str, code: str) -> str:
    """A new Lambda function."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("index.py", code)
    made = client.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": package.getvalue()},
        Timeout=30,
    )
    return str(made["FunctionArn"])


def test_an_acknowledged_object_survives_a_crash_at_once(home: Path) -> None:
    """Given a versioned bucket, when the server is killed right after a PUT, then the object,
    its versions and what was set on it are there."""
    first = stack.start(home, free_port())
    s3 = connect(first, "s3")
    s3.create_bucket(Bucket="images")
    s3.put_bucket_versioning(Bucket="images", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket="images", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    old = s3.put_object(Bucket="images", Key="a b é+?.png", Body=b"one")["VersionId"]
    s3.put_object(
        Bucket="images",
        Key="a b é+?.png",
        Body=b"two",
        Metadata={"who": "me"},
        ContentType="image/png",
    )
    crash(home, first)

    s3 = connect(stack.start(home), "s3")
    current = s3.get_object(Bucket="images", Key="a b é+?.png")
    assert (current["Body"].read(), current["Metadata"]) == (b"two", {"who": "me"})
    assert current["ContentType"] == "image/png"
    before = s3.get_object(Bucket="images", Key="a b é+?.png", VersionId=old)
    assert before["Body"].read() == b"one"
    assert s3.get_bucket_versioning(Bucket="images")["Status"] == "Enabled"
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket="images")


def test_what_services_know_survives_a_crash(home: Path) -> None:
    """Given a table with a stream that a function reads, a queue, a parameter and a machine that
    runs, when the server is killed at once, then all is there and goes on."""
    first = stack.start(home, free_port())
    table, queue, role = prepare(first)
    wait = start_waiting(first, role)
    sqs = connect(first, "sqs")
    sqs.send_message(QueueUrl=queue, MessageBody="waits")
    sqs.send_message(QueueUrl=queue, MessageBody="in flight")
    assert len(sqs.receive_message(QueueUrl=queue, VisibilityTimeout=1)["Messages"]) == 1
    connect(first, "ssm").put_parameter(Name="/a/b", Value="1", Type="String")
    table_client = connect(first, "dynamodb")
    table_client.put_item(TableName=table, Item={"pk": {"S": "before"}})
    eventually(lambda: "before" in seen(first))
    crash(home, first)

    second = stack.start(home)
    assert second.url == first.url
    assert connect(second, "ssm").get_parameter(Name="/a/b")["Parameter"]["Value"] == "1"
    assert connect(second, "dynamodb").scan(TableName=table)["Count"] == 1
    bodies = sorted(body for _ in range(2) for body in receive(second, queue))
    assert bodies == ["in flight", "waits"]
    execution = connect(second, "stepfunctions").describe_execution(executionArn=wait)
    assert execution["status"] in ("FAILED", "ABORTED")
    connect(second, "dynamodb").put_item(TableName=table, Item={"pk": {"S": "after"}})
    eventually(lambda: "after" in seen(second))


def test_each_of_many_kills_keeps_what_was_acknowledged(home: Path) -> None:
    """Given items and messages that change all the time, when the server is killed again and
    again, then each has its last acknowledged value, and what was deleted stays so."""
    endpoint = stack.start(home, free_port())
    table, queue, _ = prepare(endpoint)
    messages: set[str] = set()
    for life in range(3):
        items, sqs = connect(endpoint, "dynamodb"), connect(endpoint, "sqs")
        for number in range(40):
            item = {"pk": {"S": str(number % 10)}, "value": {"N": f"{life + 1}{number:02d}"}}
            items.put_item(TableName=table, Item=item)
            sqs.send_message(QueueUrl=queue, MessageBody=f"{life}-{number}")
            messages.add(f"{life}-{number}")
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            messages.remove(message["Body"])
        items.delete_item(TableName=table, Key={"pk": {"S": str(life)}})
        crash(home, endpoint)
        endpoint = stack.start(home)
        items, sqs = connect(endpoint, "dynamodb"), connect(endpoint, "sqs")
        found = {i["pk"]["S"]: i["value"]["N"] for i in items.scan(TableName=table)["Items"]}
        assert found == {str(n): f"{life + 1}{30 + n}" for n in range(10) if n != life}
        waiting = sqs.get_queue_attributes(
            QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"]
        )
        assert int(waiting["Attributes"]["ApproximateNumberOfMessages"]) == len(messages)


def test_a_transaction_is_kept_whole_and_each_change_reaches_the_stream(home: Path) -> None:
    """Given transactions, when the server is killed, then items of one are all there, and the
    function that reads the stream gets each change."""
    endpoint = stack.start(home, free_port())
    table, _, _ = prepare(endpoint)
    writes = [
        {"Put": {"TableName": table, "Item": {"pk": {"S": f"together-{n}"}}}} for n in range(5)
    ]
    connect(endpoint, "dynamodb").transact_write_items(TransactItems=writes)
    crash(home, endpoint)
    endpoint = stack.start(home)
    assert connect(endpoint, "dynamodb").scan(TableName=table)["Count"] == 5
    eventually(lambda: all(f"together-{n}" in seen(endpoint) for n in range(5)))


def test_the_event_of_an_acknowledged_object_is_in_its_queue(home: Path) -> None:
    """Given a bucket whose events go to a queue, when the server is killed right after a PUT and
    a DELETE, then both events are in the queue; when it died between an object and its event, the
    next start sends it."""
    endpoint = stack.start(home, free_port())
    queue = events_of_objects(endpoint)
    s3 = connect(endpoint, "s3")
    s3.put_object(Bucket="images", Key="kept é.png", Body=b"1")
    s3.delete_object(Bucket="images", Key="kept é.png")
    crash(home, endpoint)
    endpoint = stack.start(home)
    kinds = [json.loads(body)["detail-type"] for body in receive(endpoint, queue)]
    assert sorted(set(kinds)) == ["Object Created", "Object Deleted"]

    with sqlite3.connect(home / "journal.sqlite") as journal:
        crash(home, endpoint)
        journal.execute("DELETE FROM entry WHERE kind = 'message'")
        journal.execute("UPDATE commits SET at = at - 60")
    endpoint = stack.start(home)
    events = [json.loads(body) for body in receive(endpoint, queue)]
    assert [event["detail"]["object"]["key"] for event in events] == ["kept é.png"]
    assert events[0]["detail-type"] == "Object Deleted"


def events_of_objects(endpoint: Endpoint) -> str:
    """A versioned bucket whose events go to a queue: the queue's address."""
    s3, sqs, events = (connect(endpoint, name) for name in ("s3", "sqs", "events"))
    s3.create_bucket(Bucket="images")
    s3.put_bucket_versioning(Bucket="images", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket="images", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    queue = str(sqs.create_queue(QueueName="arrivals")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(Name="objects", EventPattern=json.dumps({"source": ["aws.s3"]}))
    events.put_targets(Rule="objects", Targets=[{"Id": "queue", "Arn": arn["QueueArn"]}])
    return queue


def prepare(endpoint: Endpoint) -> tuple[str, str, str]:
    """A table whose stream a function prints, and a queue."""
    role = connect(endpoint, "iam").create_role(
        RoleName="reader", AssumeRolePolicyDocument=json.dumps(ROLE)
    )["Role"]["Arn"]
    table = connect(endpoint, "dynamodb").create_table(
        TableName="things",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    awslambda = connect(endpoint, "lambda")
    name = function(awslambda, role, "reader", "def handler(event, context):\n    print(event)\n")
    awslambda.create_event_source_mapping(
        FunctionName=name, EventSourceArn=table["LatestStreamArn"], StartingPosition="TRIM_HORIZON"
    )
    queue = connect(endpoint, "sqs").create_queue(QueueName="work")["QueueUrl"]
    return table["TableName"], queue, role


def start_waiting(endpoint: Endpoint, role: str) -> str:
    """An execution that waits."""
    machines = connect(endpoint, "stepfunctions")
    definition = {
        "StartAt": "Wait",
        "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}},
    }
    machine = machines.create_state_machine(
        name="wait", definition=json.dumps(definition), roleArn=role
    )["stateMachineArn"]
    return str(machines.start_execution(stateMachineArn=machine)["executionArn"])


def seen(endpoint: Endpoint) -> str:
    """What the reader printed."""
    logs = connect(endpoint, "logs")
    try:
        events = logs.filter_log_events(logGroupName="/aws/lambda/reader")["events"]
    except logs.exceptions.ResourceNotFoundException:
        return ""
    return " ".join(event["message"] for event in events)


def receive(endpoint: Endpoint, queue: str) -> list[str]:
    """The bodies of the messages that can be had within two seconds."""
    answer = connect(endpoint, "sqs").receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=2
    )
    return [message["Body"] for message in answer.get("Messages", [])]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_functions_end_with_the_server(home: Path, number: int) -> None:
    """Given a function at work, when the server ends in whatever way, then so does its worker."""
    endpoint = stack.start(home, free_port())
    role = connect(endpoint, "iam").create_role(
        RoleName="r", AssumeRolePolicyDocument=json.dumps(ROLE)
    )["Role"]["Arn"]
    code = (
        "import os, pathlib, time\n"
        "def handler(event, context):\n"
        "    pathlib.Path(event['path']).write_text(str(os.getpid()))\n"
        "    time.sleep(60)\n"
    )
    awslambda = connect(endpoint, "lambda")
    function(awslambda, role, "sleeper", code)
    note = home / "worker"
    awslambda.invoke(
        FunctionName="sleeper", InvocationType="Event", Payload=json.dumps({"path": str(note)})
    )
    worker = int(eventually(lambda: note.exists() and note.read_text()))
    os.kill(endpoint.pid, number)
    eventually(lambda: not Path(f"/proc/{worker}").exists(), 15)


def test_what_functions_unpacked_before_a_crash_holds_up_no_start(home: Path) -> None:
    """Given what a killed server left in its scratch folder, when it starts again, then the folder
    is empty at once, and what was there goes meanwhile."""
    crash(home, stack.start(home, free_port()))
    left = home / "tmp" / "ministack-lambda-x" / "code"
    left.mkdir(parents=True)
    (left / "module.py").write_text("x = 1")

    stack.start(home)

    assert not (home / "tmp" / "ministack-lambda-x").exists()
    eventually(lambda: not list(home.glob("tmp.*")))
