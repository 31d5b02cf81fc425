"""Business rule: what people's tasks are made from changes in place, and open tasks stay."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from loupe.adapters.flows import Flows, FlowSpec
from tests.local.stack_help import Client

WANTED = FlowSpec(
    name="flowtest-00000001",
    page="<crowd-form></crowd-form>",
    title="What is it?",
    workteam="arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/people",
    role="arn:aws:iam::000000000000:role/a2i",
    output="s3://reviews/out",
)
NEW = replace(WANTED, name="flowtest-00000002", title="Which is it?")


@pytest.fixture
def flows(client: Client) -> Flows:
    now = datetime.now(UTC)
    return Flows(client("sagemaker"), client("sagemaker-a2i-runtime"), "flowtest", now)


def names(client: Client) -> tuple[list[str], list[str]]:
    """(flow definitions, pages) of the test's stack."""
    sagemaker = client("sagemaker")
    found = sagemaker.list_flow_definitions(MaxResults=100)["FlowDefinitionSummaries"]
    pages = sagemaker.list_human_task_uis(MaxResults=100)["HumanTaskUiSummaries"]
    return (
        sorted(n for f in found if (n := f["FlowDefinitionName"]).startswith("flowtest-")),
        sorted(n for p in pages if (n := p["HumanTaskUiName"]).startswith("flowtest-")),
    )


def start(client: Client, name: str, flow: str) -> None:
    content: Any = {"InputContent": json.dumps({"taskObject": "s3://b/a.png"})}
    client("sagemaker-a2i-runtime").start_human_loop(
        HumanLoopName=name, FlowDefinitionArn=flow, HumanLoopInput=content
    )


def test_a_generation_asks_one_two_or_three_people_and_is_made_once(
    client: Client, flows: Flows
) -> None:
    arn = flows.make(WANTED)
    assert flows.make(WANTED) == arn
    described = [
        client("sagemaker").describe_flow_definition(FlowDefinitionName=f"{WANTED.name}-{n}")
        for n in (1, 2, 3)
    ]
    assert [d["HumanLoopConfig"]["TaskCount"] for d in described] == [1, 2, 3]
    assert [d["FlowDefinitionArn"] for d in described] == [f"{arn}-{n}" for n in (1, 2, 3)]

    flows.remove(lambda: False)
    assert names(client) == ([], [])


def test_an_older_generation_stays_as_long_as_a_task_of_it_is_open(
    client: Client, flows: Flows
) -> None:
    start(client, "flowtest-open", f"{flows.make(WANTED)}-2")

    flows.make(NEW)
    flows.retire(keep=NEW.name)
    assert names(client)[1] == [WANTED.name, NEW.name]

    client("sagemaker-a2i-runtime").stop_human_loop(HumanLoopName="flowtest-open")
    flows.retire(keep=NEW.name)
    assert names(client)[1] == [NEW.name]
    assert len(names(client)[0]) == 3

    start(client, "flowtest-last", f"{flows.make(NEW)}-1")
    flows.remove(lambda: False)
    assert names(client) == ([], [])


def test_what_belongs_to_another_stack_of_a_similar_name_is_left_alone(
    client: Client, flows: Flows
) -> None:
    other = replace(WANTED, name="flowtest-two-00000001")
    others = Flows(
        client("sagemaker"), client("sagemaker-a2i-runtime"), "flowtest-two", datetime.now(UTC)
    )
    others.make(other)

    flows.remove(lambda: False)

    assert names(client)[1] == [other.name]
    others.remove(lambda: False)


def test_a_failed_flow_definition_says_why(flows: Flows, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = {"FlowDefinitionStatus": "Failed", "FailureReason": "no such team"}
    monkeypatch.setattr(flows, "_describe", lambda _name: failed)

    with pytest.raises(RuntimeError, match="no such team"):
        flows.make(WANTED)

    monkeypatch.undo()
    flows.remove(lambda: False)
