"""Human loops, from the question to the output."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from loupe_local.stack import Endpoint
from tests.local.stack_help import Client, eventually

ROLE = "arn:aws:iam::000000000000:role/a2i"
TEAM = "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/people"
INPUT = {"InputContent": json.dumps({"taskObject": "s3://b/a.png", "labels": ["x", "y"]})}


@pytest.fixture(scope="module")
def flow(client: Client) -> str:
    """A flow definition that asks two people."""
    client("s3").create_bucket(Bucket="reviews")
    sagemaker = client("sagemaker")
    page = sagemaker.create_human_task_ui(
        HumanTaskUiName="page", UiTemplate={"Content": "<crowd-form></crowd-form>"}
    )["HumanTaskUiArn"]
    assert sagemaker.describe_human_task_ui(HumanTaskUiName="page")["HumanTaskUiArn"] == page
    assert sagemaker.list_human_task_uis()["HumanTaskUiSummaries"][0]["HumanTaskUiArn"] == page
    team = sagemaker.describe_workteam(WorkteamName="people")["Workteam"]
    assert team["WorkteamArn"] == TEAM
    made = sagemaker.create_flow_definition(
        FlowDefinitionName="flow",
        HumanLoopConfig={
            "WorkteamArn": TEAM,
            "HumanTaskUiArn": page,
            "TaskTitle": "Which is it?",
            "TaskDescription": "Choose a label",
            "TaskCount": 2,
        },
        OutputConfig={"S3OutputPath": "s3://reviews/out"},
        RoleArn=ROLE,
    )
    assert (
        sagemaker.describe_flow_definition(FlowDefinitionName="flow")["FlowDefinitionStatus"]
        == "Active"
    )
    (listed,) = sagemaker.list_flow_definitions()["FlowDefinitionSummaries"]
    assert listed["FlowDefinitionArn"] == made["FlowDefinitionArn"]
    return str(made["FlowDefinitionArn"])


@pytest.fixture
def runtime(client: Client) -> Any:
    """The operator's client of human loops."""
    return client("sagemaker-a2i-runtime")


def http(endpoint: Endpoint, path: str, body: dict[str, Any] | None = None) -> Any:
    """What the worker endpoint answers."""
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(f"{endpoint.url}/_loupe/a2i/loops{path}", data) as answer:
        return json.load(answer)


def error(act: Any, **given: Any) -> str:
    """The code that a call is refused with."""
    with pytest.raises(ClientError) as refusal:
        act(**given)
    return str(refusal.value.response["Error"]["Code"])


def test_a_loop_ends_when_all_have_answered(
    client: Client, endpoint: Endpoint, runtime: Any, flow: str
) -> None:
    """Given a loop for two people, when both have answered, then its output is in S3 and an
    event says so."""
    queue = listen(client)
    runtime.start_human_loop(HumanLoopName="a-1", FlowDefinitionArn=flow, HumanLoopInput=INPUT)
    shown = next(loop for loop in http(endpoint, "")["loops"] if loop["name"] == "a-1")
    assert shown["input"]["labels"] == ["x", "y"]
    answer = {"worker": "ann", "answer": {"crowd-image-classifier": {"label": "x"}}}
    assert http(endpoint, "/a-1/answers", answer)["status"] == "InProgress"
    assert http(endpoint, "/a-1/answers", answer)["status"] == "InProgress"  # the same person
    answer["worker"] = "bob"
    assert http(endpoint, "/a-1/answers", answer)["status"] == "Completed"

    found = runtime.describe_human_loop(HumanLoopName="a-1")
    assert found["HumanLoopStatus"] == "Completed"
    bucket, _, key = found["HumanLoopOutput"]["OutputS3Uri"].removeprefix("s3://").partition("/")
    assert key.startswith("out/flow/20") and key.endswith("/a-1/output.json")
    output = json.load(client("s3").get_object(Bucket=bucket, Key=key)["Body"])
    assert set(output) == {"flowDefinitionArn", "humanAnswers", "humanLoopName", "inputContent"}
    assert [a["workerId"] for a in output["humanAnswers"]] == ["ann", "bob"]
    assert output["humanAnswers"][0]["answerContent"] == answer["answer"]
    event = json.loads(eventually(lambda: received(client, queue)))
    assert event["detail-type"] == "SageMaker A2I HumanLoop Status Change"
    assert event["detail"]["humanLoopOutput"]["outputS3Uri"] == f"s3://{bucket}/{key}"


def listen(client: Client) -> str:
    """A queue of the events that A2I sends."""
    sqs, bus = client("sqs"), client("events")
    queue = str(sqs.create_queue(QueueName="a2i")["QueueUrl"])
    bus.put_rule(Name="a2i", EventPattern=json.dumps({"source": ["aws.sagemaker"]}))
    bus.put_targets(
        Rule="a2i", Targets=[{"Id": "q", "Arn": "arn:aws:sqs:us-east-1:000000000000:a2i"}]
    )
    return queue


def received(client: Client, queue: str) -> str:
    """The body of a message, if there is one."""
    messages = client("sqs").receive_message(QueueUrl=queue).get("Messages", [])
    return messages[0]["Body"] if messages else ""


def test_the_same_loop_twice_is_one(runtime: Any, flow: str) -> None:
    """Given a loop, when it is started again, then it is the same; with other input it is a
    conflict."""
    start = runtime.start_human_loop
    first = start(HumanLoopName="b", FlowDefinitionArn=flow, HumanLoopInput=INPUT)
    again = start(HumanLoopName="b", FlowDefinitionArn=flow, HumanLoopInput=INPUT)
    assert first["HumanLoopArn"] == again["HumanLoopArn"]
    assert (
        error(
            start, HumanLoopName="b", FlowDefinitionArn=flow, HumanLoopInput={"InputContent": "{}"}
        )
        == "ConflictException"
    )
    for name in ("-b", "B", "b" * 64):
        assert (
            error(start, HumanLoopName=name, FlowDefinitionArn=flow, HumanLoopInput=INPUT)
            == "ValidationException"
        )
    assert (
        error(
            start,
            HumanLoopName="c",
            FlowDefinitionArn=flow,
            HumanLoopInput={"InputContent": "no JSON"},
        )
        == "ValidationException"
    )


def test_a_loop_is_stopped_listed_and_deleted(endpoint: Endpoint, runtime: Any, flow: str) -> None:
    """Given a loop, when it is stopped, then nobody can answer it any more."""
    for name in ("c-1", "c-2"):
        runtime.start_human_loop(HumanLoopName=name, FlowDefinitionArn=flow, HumanLoopInput=INPUT)
    assert error(runtime.delete_human_loop, HumanLoopName="c-1") == "ValidationException"
    runtime.stop_human_loop(HumanLoopName="c-1")
    with pytest.raises(urllib.error.HTTPError, match="409") as refusal:
        http(endpoint, "/c-1/answers", {"worker": "ann", "answer": {}})
    refusal.value.close()
    listed = runtime.list_human_loops(FlowDefinitionArn=flow, MaxResults=1)
    assert [s["HumanLoopName"] for s in listed["HumanLoopSummaries"]] == ["c-2"]
    rest = runtime.list_human_loops(FlowDefinitionArn=flow, NextToken=listed["NextToken"])
    assert rest["HumanLoopSummaries"][0]["HumanLoopStatus"] == "Stopped"
    runtime.delete_human_loop(HumanLoopName="c-1")
    assert error(runtime.describe_human_loop, HumanLoopName="c-1") == "ResourceNotFoundException"


def test_a_loop_that_nobody_answers_in_time_fails(
    endpoint: Endpoint, runtime: Any, flow: str
) -> None:
    """Given a loop, when its time is over, then it has failed and says why."""
    runtime.start_human_loop(HumanLoopName="e", FlowDefinitionArn=flow, HumanLoopInput=INPUT)

    assert http(endpoint, "/e/expire", {}) == {"status": "Failed"}
    assert http(endpoint, "/e/expire", {}) == {"status": "Failed"}

    found = runtime.describe_human_loop(HumanLoopName="e")
    assert "expired" in found["FailureReason"]


def test_a_region_has_one_private_workforce_and_it_outlives_its_teams(client: Client) -> None:
    """Given a workforce with a team, then there is no second one, and the team goes first."""
    sagemaker = client("sagemaker")
    cognito = {"UserPool": "us-east-1_abc", "ClientId": "client"}
    sagemaker.create_workforce(WorkforceName="force", CognitoConfig=cognito)
    create = sagemaker.create_workforce
    assert error(create, WorkforceName="two", CognitoConfig=cognito) == "ValidationException"
    assert sagemaker.describe_workforce(WorkforceName="force")["Workforce"]["Status"] == "Active"
    assert len(sagemaker.list_workforces()["Workforces"]) == 1
    member = {"CognitoMemberDefinition": {**cognito, "UserGroup": "people"}}
    team: dict[str, Any] = {
        "WorkteamName": "team",
        "WorkforceName": "force",
        "MemberDefinitions": [member],
        "Description": "those",
    }
    sagemaker.create_workteam(**team)
    assert error(sagemaker.create_workteam, **team) == "ResourceInUse"
    found = sagemaker.describe_workteam(WorkteamName="team")["Workteam"]
    assert found["MemberDefinitions"] == [member]
    assert [t["WorkteamName"] for t in sagemaker.list_workteams()["Workteams"]] == ["team"]
    assert error(sagemaker.delete_workforce, WorkforceName="force") == "ValidationException"
    assert sagemaker.delete_workteam(WorkteamName="team")["Success"]
    sagemaker.delete_workforce(WorkforceName="force")
    gone = error(sagemaker.describe_workforce, WorkforceName="force")
    assert gone == "ValidationException"


def test_a_fault_on_purpose_strikes_loops_too(endpoint: Endpoint, flow: str, runtime: Any) -> None:
    """Given a fault for StartHumanLoop, when a loop is started, then it fails once and only so."""
    faults = endpoint.home.faults
    faults.write_text(json.dumps({"StartHumanLoop": {"error": "ThrottlingException", "times": 1}}))
    loop = {"HumanLoopName": "struck", "FlowDefinitionArn": flow, "HumanLoopInput": INPUT}
    try:
        with pytest.raises(ClientError, match="ThrottlingException"):
            runtime.start_human_loop(**loop)

        assert runtime.start_human_loop(**loop)["HumanLoopArn"].endswith("/struck")
    finally:
        faults.unlink()


def test_definitions_in_use_stay(client: Client, runtime: Any, flow: str) -> None:
    """Given a flow definition with a loop in progress, then it cannot be deleted; afterwards it
    can, and so can its page."""
    sagemaker = client("sagemaker")
    for summary in runtime.list_human_loops(FlowDefinitionArn=flow, MaxResults=100)[
        "HumanLoopSummaries"
    ]:
        runtime.stop_human_loop(HumanLoopName=summary["HumanLoopName"])
    runtime.start_human_loop(HumanLoopName="d", FlowDefinitionArn=flow, HumanLoopInput=INPUT)
    delete = sagemaker.delete_flow_definition
    assert error(delete, FlowDefinitionName="flow") == "ResourceInUse"
    runtime.stop_human_loop(HumanLoopName="d")
    delete(FlowDefinitionName="flow")
    sagemaker.delete_human_task_ui(HumanTaskUiName="page")
    assert error(sagemaker.describe_human_task_ui, HumanTaskUiName="page") == "ResourceNotFound"


def test_a_bucket_of_that_name_is_still_s3s(client: Client) -> None:
    """Given a bucket named like A2I's path, then S3 answers for it."""
    s3 = client("s3")
    s3.create_bucket(Bucket="human-loops")
    s3.put_object(Bucket="human-loops", Key="a", Body=b"x")
    assert s3.get_object(Bucket="human-loops", Key="a")["Body"].read() == b"x"
