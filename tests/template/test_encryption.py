"""A key of the account's own encrypts everything, and only who needs it may use it."""

import json
import re
from typing import Any

import pytest

from tests.template.reading import ROOT, granted, listed, resources, roles, template

KEY = {"Ref": "KmsKeyArn"}
NONE = {"Ref": "AWS::NoValue"}
WITH_KEY = {"Fn::If": ["HasKey", KEY, NONE]}
USE = {"kms:Decrypt", "kms:GenerateDataKey"}
ENCRYPTED = re.compile(
    r"s3:(Get|Put)Object|dynamodb:(Get|Put|Update|Delete)Item|dynamodb:(Query|GetRecords)"
    r"|sqs:(Send|Receive)Message|sns:Publish"
)


def test_without_a_key_the_parameter_is_empty() -> None:
    assert template()["Parameters"]["KmsKeyArn"]["Default"] == ""


def test_the_bucket_is_encrypted_with_and_without_a_key() -> None:
    (rule,) = only("AWS::S3::Bucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert rule["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": {"Fn::If": ["HasKey", "aws:kms", "AES256"]},
        "KMSMasterKeyID": WITH_KEY,
    }
    assert rule["BucketKeyEnabled"] == {"Fn::If": ["HasKey", True, NONE]}


def test_the_table_is_encrypted_with_the_key() -> None:
    own = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}

    assert only("AWS::DynamoDB::Table")["SSESpecification"] == {"Fn::If": ["HasKey", own, NONE]}


@pytest.mark.parametrize("name", sorted(resources("AWS::SQS::Queue")))
def test_every_queue_is_encrypted_with_and_without_a_key(name: str) -> None:
    """SQS refuses a queue that has both."""
    queue = resources("AWS::SQS::Queue")[name]["Properties"]

    assert queue["SqsManagedSseEnabled"] == {"Fn::If": ["HasKey", NONE, True]}
    assert queue["KmsMasterKeyId"] == WITH_KEY


@pytest.mark.parametrize(
    ("kind", "field"), [("AWS::SNS::Topic", "KmsMasterKeyId"), ("AWS::Logs::LogGroup", "KmsKeyId")]
)
def test_topics_and_logs_are_encrypted_with_the_key(kind: str, field: str) -> None:
    assert all(found["Properties"][field] == WITH_KEY for found in resources(kind).values())


@pytest.mark.parametrize("name", sorted(roles()))
def test_exactly_who_reads_or_writes_what_is_encrypted_may_use_the_key(name: str) -> None:
    allowed = list(granted(roles()[name].get("Policies", [])))
    touches = any(
        ENCRYPTED.match(action) for found in allowed for action in listed(found["Action"])
    )
    used = [f for f in allowed if any(a.startswith("kms:") for a in listed(f["Action"]))]

    assert [(set(found["Action"]), found["Resource"]) for found in used] == [(USE, KEY)] * touches


@pytest.mark.parametrize("name", sorted(roles()))
def test_without_a_key_nobody_has_rights_on_one(name: str) -> None:
    for policy in roles()[name].get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            assert "kms:" not in json.dumps(statement.get("Action", ""))
            if "kms:" in json.dumps(statement):
                assert statement["Fn::If"][0] == "HasKey"
                assert statement["Fn::If"][2] == NONE


def test_the_documented_policy_lets_in_the_services_that_act_in_their_own_name() -> None:
    """Whoever writes to what is encrypted without a role of the stack."""
    senders = {
        service
        for kind in ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy")
        for found in resources(kind).values()
        for statement in granted(found)
        for service in listed(statement["Principal"]["Service"])
    }
    statements = list(granted(key_policy()))
    services = [s for s in statements if "Service" in s["Principal"]]
    admitted = {name for s in services for name in listed(s["Principal"]["Service"])}

    assert admitted == senders | {"logs.REGION.amazonaws.com"}
    assert all(found["Condition"] for found in services)


def test_the_documented_policy_names_every_log() -> None:
    (statement,) = [s for s in granted(key_policy()) if s["Sid"] == "LogsAreEncrypted"]
    patterns = statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]

    for found in resources("AWS::Logs::LogGroup").values():
        group = found["Properties"]["LogGroupName"]["Fn::Sub"].replace("${AWS::StackName}", "STACK")
        arn = f"arn:aws:logs:REGION:ACCOUNT:log-group:{group}"
        assert any(re.fullmatch(p.replace("*", ".*"), arn) for p in patterns), group


def key_policy() -> dict[str, Any]:
    """The policy of docs/security.md."""
    (block,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "security.md").read_text(), re.S)
    return dict(json.loads(block))


def only(kind: str) -> dict[str, Any]:
    (found,) = resources(kind).values()
    return dict(found["Properties"])
