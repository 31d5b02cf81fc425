"""Business rules of storage, queues and alarms: nothing is lost, nothing is open to the world."""

import json
import re
from typing import Any

import pytest

from loupe.domain.detection import MOST_FAILURES
from loupe.domain.keys import DETECTION_PREFIX, LABELLED_PREFIX
from tests.template.reading import ROOT, everything, properties, references, resources, template

QUEUES = resources("AWS::SQS::Queue")
RULES = resources("AWS::Events::Rule")
ALARMS = resources("AWS::CloudWatch::Alarm")


def dead_letter_targets(value: Any) -> set[str]:
    """Queues that take what could not be delivered, anywhere inside `value`."""
    if isinstance(value, list):
        return {name for inner in value for name in dead_letter_targets(inner)}
    if not isinstance(value, dict):
        return set()
    keys = ("RedrivePolicy", "DeadLetterConfig", "OnFailure")
    found = {name for key in keys if key in value for name in references(value[key])}
    return found | {name for inner in value.values() for name in dead_letter_targets(inner)}


DEAD_LETTERS = dead_letter_targets(template()["Resources"])
WORK = sorted(set(QUEUES) - DEAD_LETTERS)


def sources() -> list[tuple[str, dict[str, Any]]]:
    """(function, event) of every queue or stream that feeds a function."""
    return [
        (function, event["Properties"])
        for function, found in resources("AWS::Serverless::Function").items()
        for event in found["Properties"].get("Events", {}).values()
        if event["Type"] in ("SQS", "DynamoDB")
    ]


def test_the_bucket_keeps_versions() -> None:
    assert properties("Bucket")["VersioningConfiguration"] == {"Status": "Enabled"}


def test_the_bucket_is_closed_to_the_public() -> None:
    assert properties("Bucket")["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }


def test_the_bucket_refuses_requests_without_tls() -> None:
    denied = [
        found
        for found in properties("BucketPolicy")["PolicyDocument"]["Statement"]
        if found["Effect"] == "Deny"
    ]

    (found,) = denied
    assert found["Principal"] == "*"
    assert found["Action"] == "s3:*"
    assert found["Resource"] == ["Bucket.Arn", "Bucket.Arn/*"]
    assert found["Condition"] == {"Bool": {"aws:SecureTransport": False}}


def test_the_bucket_tells_eventbridge_of_every_object() -> None:
    configuration = properties("Bucket")["NotificationConfiguration"]["EventBridgeConfiguration"]

    assert configuration["EventBridgeEnabled"] is True


def test_browsers_may_get_images_and_never_delete_them() -> None:
    methods = {
        method
        for rule in properties("Bucket")["CorsConfiguration"]["CorsRules"]
        for method in rule["AllowedMethods"]
    }

    assert "GET" in methods
    assert "DELETE" not in methods


def test_the_table_can_be_restored_to_any_second() -> None:
    found = properties("Table")

    assert found["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert found["BillingMode"] == "PAY_PER_REQUEST"


def test_the_tables_indexes_use_attributes_that_are_declared_and_no_others() -> None:
    found = properties("Table")
    declared = {a["AttributeName"] for a in found["AttributeDefinitions"]}
    schemas = [found["KeySchema"], *(i["KeySchema"] for i in found["GlobalSecondaryIndexes"])]

    assert declared == {key["AttributeName"] for schema in schemas for key in schema}


@pytest.mark.parametrize("name", WORK)
def test_a_queue_gives_up_to_a_dead_letter_queue(name: str) -> None:
    redrive = properties(name)["RedrivePolicy"]

    assert redrive["deadLetterTargetArn"].removesuffix(".Arn") in QUEUES
    assert redrive["maxReceiveCount"] >= 3


@pytest.mark.parametrize("name", sorted(QUEUES))
def test_a_queue_keeps_messages_as_long_as_it_can(name: str) -> None:
    assert properties(name)["MessageRetentionPeriod"] == 14 * 24 * 3600


@pytest.mark.parametrize("name", sorted(DEAD_LETTERS))
def test_a_dead_letter_queue_has_an_alarm_that_tells_somebody(name: str) -> None:
    dimensions = [{"Name": "QueueName", "Value": f"{name}.QueueName"}]
    (alarm,) = [a for a in map(properties, ALARMS) if a.get("Dimensions") == dimensions]

    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert alarm["AlarmActions"] == ["AlarmTopic"]


@pytest.mark.parametrize("name", RULES)
def test_what_a_rule_cannot_deliver_is_kept(name: str) -> None:
    for target in properties(name)["Targets"]:
        assert target["DeadLetterConfig"]["Arn"].removesuffix(".Arn") in DEAD_LETTERS


@pytest.mark.parametrize("name", RULES)
def test_a_rule_may_send_to_its_queue_and_to_its_dead_letter_queue(name: str) -> None:
    (statement,) = properties("QueuePolicy")["PolicyDocument"]["Statement"]
    (target,) = properties(name)["Targets"]
    queues = {target["DeadLetterConfig"]["Arn"]}
    queues |= {target["Arn"]} & {f"{queue}.Arn" for queue in QUEUES}

    assert queues <= set(statement["Resource"])
    assert f"'{name}.Arn'" in str(statement["Condition"]["ArnEquals"]["aws:SourceArn"])


@pytest.mark.parametrize(("function", "source"), sources(), ids=lambda v: str(v)[:20])
def test_one_bad_message_does_not_fail_its_batch(function: str, source: dict[str, Any]) -> None:
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize(("function", "source"), sources(), ids=lambda v: str(v)[:20])
def test_a_message_stays_hidden_while_its_function_may_run(
    function: str, source: dict[str, Any]
) -> None:
    if "Queue" not in source:
        return
    (queue,) = references(source["Queue"])
    default = template()["Globals"]["Function"]["Timeout"]

    assert properties(queue)["VisibilityTimeout"] > properties(function).get("Timeout", default)


def test_an_image_has_failed_when_its_message_is_a_dead_letter() -> None:
    assert properties("DetectionQueue")["RedrivePolicy"]["maxReceiveCount"] == MOST_FAILURES


@pytest.mark.parametrize("machine", ["DetectMachine", "ImproveMachine"])
def test_an_execution_that_fails_or_takes_too_long_is_an_alarm(machine: str) -> None:
    dimension = {"Name": "StateMachineArn", "Value": machine}
    alarms = (properties(name) for name in ALARMS)
    watched = {p["MetricName"] for p in alarms if p["Dimensions"] == [dimension]}

    assert watched == {"ExecutionsFailed", "ExecutionsTimedOut"}


def test_logs_are_not_kept_for_ever() -> None:
    assert all("RetentionInDays" in properties(name) for name in resources("AWS::Logs::LogGroup"))


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_tells_somebody_what_to_look_at(name: str) -> None:
    found = properties(name)

    assert found["AlarmActions"] == ["AlarmTopic"]
    assert found["TreatMissingData"] == "notBreaching"
    assert len(found["AlarmDescription"].split(".")) >= 2


def test_cloudwatch_may_publish_alarms_and_nobody_filters_them() -> None:
    (statement,) = properties("AlarmTopicPolicy")["PolicyDocument"]["Statement"]
    subscription = template()["Resources"]["AlarmSubscription"]

    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert (statement["Action"], statement["Resource"]) == ("sns:Publish", "AlarmTopic")
    assert subscription["Properties"] == {
        "TopicArn": {"Ref": "AlarmTopic"},
        "Protocol": "email",
        "Endpoint": {"Ref": "OperatorEmail"},
    }


def test_a_filter_asks_only_for_attributes_that_are_there() -> None:
    """An attribute's absence matches only where another attribute is present."""
    filters = [
        p["FilterPolicy"]
        for p in map(properties, resources("AWS::SNS::Subscription"))
        if "FilterPolicy" in p
    ]

    assert filters
    assert "exists" not in str(filters)


def dashboard() -> list[dict[str, Any]]:
    """The widgets, as they stand in the template."""
    widgets: list[dict[str, Any]] = json.loads(body()["Fn::Sub"])["widgets"]
    return widgets


def body() -> dict[str, str]:
    found: dict[str, str] = everything()["Dashboard"]["Properties"]["DashboardBody"]
    return found


def test_the_dashboard_shows_every_alarm_and_every_dead_letter_queue() -> None:
    (alarms,) = [w["properties"]["alarms"] for w in dashboard() if w["type"] == "alarm"]

    assert {alarm.strip("${}").removesuffix(".Arn") for alarm in alarms} == set(ALARMS)
    assert references(body()) >= DEAD_LETTERS


def old_versions() -> dict[str, dict[str, Any]]:
    """`{prefix: rule}` of the lifecycle rules that the parameter switches on."""
    rules = properties("Bucket")["LifecycleConfiguration"]["Rules"]
    found = [r["Fn::If"] for r in rules if "Fn::If" in r]
    assert all(
        (switch, otherwise) == ("ExpiresOldVersions", "AWS::NoValue")
        for switch, _, otherwise in found
    )
    return {rule["Prefix"]: rule for _, rule, _ in found}


def test_old_versions_go_only_of_images_and_only_if_asked_for() -> None:
    """What a version was trained on, and what people answered, is kept for ever."""
    assert set(old_versions()) == {DETECTION_PREFIX, LABELLED_PREFIX}
    assert template()["Parameters"]["OldVersionDays"]["Default"] == 0
    for rule in old_versions().values():
        assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": "OldVersionDays"}
        assert "ExpirationInDays" not in rule


def test_functions_and_machines_are_traced() -> None:
    assert template()["Globals"]["Function"]["Tracing"] == "Active"
    for name in resources("AWS::Serverless::StateMachine"):
        assert properties(name)["Tracing"] == {"Enabled": True}


def test_requests_to_the_console_are_logged() -> None:
    assert properties("ConsoleStage")["AccessLogSettings"]["DestinationArn"] == "ConsoleLogs.Arn"


def test_what_checkov_does_not_check_has_a_reason() -> None:
    lines = (ROOT / ".checkov.yaml").read_text().splitlines()
    skipped = [line for line in lines if "CKV" in line]

    assert skipped
    assert all(re.fullmatch(r"  - CKV\w+ # [A-Z].{20,}\.", line) for line in skipped)
