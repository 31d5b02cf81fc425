"""Business rule: every role has its own actions and resources only; `*` is explained."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.template.reading import (
    ROOT,
    granted,
    listed,
    may,
    references,
    resources,
    role_of,
    roles,
    template,
)

TEXT = (ROOT / "template.yaml").read_text()
LINES = TEXT.splitlines()
FUNCTIONS = resources("AWS::Serverless::Function")
MACHINES = resources("AWS::Serverless::StateMachine")
STREAM_ACTIONS = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")


def wide_statements() -> Iterator[tuple[int, int]]:
    """(first, last) line, from 0, of every statement whose resource is `*`."""
    seen: set[int] = set()

    def walk(node: yaml.Node) -> Iterator[tuple[int, int]]:
        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for inner in node.value:
                yield from walk(inner)
        elif isinstance(node, yaml.MappingNode):
            fields = {key.value: inner for key, inner in node.value}
            if "Effect" in fields and "Resource" in fields and _is_wide(fields["Resource"]):
                yield node.start_mark.line, node.end_mark.line
            for inner in fields.values():
                yield from walk(inner)

    yield from walk(yaml.compose(TEXT))


def _is_wide(node: yaml.Node) -> bool:
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    return any(isinstance(n, yaml.ScalarNode) and n.value == "*" for n in nodes)


WIDE = list(wide_statements())


def test_resources_without_bounds_are_found() -> None:
    assert len(WIDE) == len(re.findall(r'Resource: (?:"\*"|\["\*"\])', TEXT))
    assert WIDE


@pytest.mark.parametrize(("first", "last"), WIDE, ids=lambda line: str(line + 1))
def test_a_resource_without_bounds_says_why(first: int, last: int) -> None:
    comments = [line for line in LINES[first - 1 : last] if line.lstrip().startswith("# ")]

    assert comments, f"template.yaml:{first + 1}: say in a comment why the resource is '*'"


def actions(statement: dict[str, Any]) -> list[str]:
    """What a statement allows."""
    return list(listed(statement["Action"]))


def unbounded(value: Any) -> set[tuple[str, ...]]:
    """The actions that `value` allows on every resource, statement by statement."""
    return {
        tuple(actions(statement))
        for statement in granted(value)
        if "*" in listed(statement.get("Resource"))
    }


@pytest.mark.parametrize("name", roles())
def test_a_role_names_every_action_in_full(name: str) -> None:
    found = list(granted(roles()[name]))

    assert found
    assert not [a for s in found for a in actions(s) if not re.fullmatch(r"[a-z0-9-]+:\w+", a)]
    assert not [s for s in found if s.keys() & {"NotAction", "NotResource"}]


@pytest.mark.parametrize("name", roles())
def test_a_role_has_no_policy_that_aws_manages(name: str) -> None:
    assert not roles()[name].get("ManagedPolicyArns")


@pytest.mark.parametrize("name", roles())
def test_a_role_without_bounds_is_one_that_says_why(name: str) -> None:
    """SAM adds no resource `*` of its own to those of the template, which have a comment each."""
    assert unbounded(roles()[name]) <= unbounded(template()["Resources"])


@pytest.mark.parametrize("name", [*FUNCTIONS, *MACHINES])
def test_a_function_and_a_machine_have_a_role_of_their_own(name: str) -> None:
    resource = template()["Resources"][name]["Properties"]

    assert resource["Role"] == {"Fn::GetAtt": f"{name}Role.Arn"}
    assert "Policies" not in resource


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_write_its_log_and_its_traces(name: str) -> None:
    assert may(name, "logs:CreateLogStream", "Logs.Arn")
    assert may(name, "logs:PutLogEvents", "Logs.Arn")
    assert may(name, "xray:PutTraceSegments", "*")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_take_from_what_feeds_it_and_from_nothing_else(name: str) -> None:
    events = FUNCTIONS[name]["Properties"].get("Events", {}).values()
    queues = {q for e in events if e["Type"] == "SQS" for q in references(e["Properties"]["Queue"])}
    readable = {
        queue
        for statement in granted(role_of(name))
        if "sqs:ReceiveMessage" in actions(statement)
        for queue in references(statement["Resource"])
    }

    assert readable == queues
    for queue in queues:
        assert may(name, "sqs:DeleteMessage", f"{queue}.Arn")
        assert may(name, "sqs:GetQueueAttributes", f"{queue}.Arn")
    for action in STREAM_ACTIONS:
        reads = any(event["Type"] == "DynamoDB" for event in events)
        assert may(name, f"dynamodb:{action}", "Table.Arn/stream/*") == reads


def test_no_function_writes_a_setting_but_the_one_that_operators_use() -> None:
    """ApplySettings gives a parameter its pattern, with the value that it has."""
    writers = {
        name
        for name in FUNCTIONS
        for statement in granted(role_of(name))
        for action in actions(statement)
        if action.startswith("ssm:") and action != "ssm:GetParameters"
    }

    assert writers <= {"ServeConsole", "ApplySettings"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_objects_are_reached_below_named_prefixes_only(name: str) -> None:
    for statement in granted(role_of(name)):
        if any("Object" in action and action.startswith("s3:") for action in actions(statement)):
            for resource in listed(statement["Resource"]):
                assert not resource["Fn::Sub"].endswith("Bucket.Arn}/*")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_asks_for_a_variable_may_use_what_it_names(name: str) -> None:
    """A queue, topic or machine in a function's own environment is also in its policy."""
    found = FUNCTIONS[name]["Properties"]
    variables = found.get("Environment", {}).get("Variables", {})
    kinds = ("AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::Serverless::StateMachine")
    own = {
        r for r in references(variables) if template()["Resources"].get(r, {}).get("Type") in kinds
    }

    assert own <= references(role_of(name)["Policies"])


@pytest.mark.parametrize("name", ["BuildDataset", "TrainModel"])
def test_who_makes_datasets_and_trains_has_the_rights_that_rekognition_borrows(name: str) -> None:
    for prefix in ("images_labeled_by_folder", "manifests", "evaluation"):
        for action in ("", "Acl", "Version", "Tagging"):
            assert may(name, f"s3:GetObject{action}", f"Bucket.Arn/{prefix}/*")
    for action in ("ListBucket", "GetBucketAcl", "GetBucketLocation"):
        assert may(name, f"s3:{action}", "Bucket.Arn")


@pytest.mark.parametrize("name", ["DetectLabels", "ManagePower"])
def test_who_lets_a_model_read_an_uploaded_image_may_read_it(name: str) -> None:
    for action in ("s3:GetObject", "s3:GetObjectVersion"):
        assert may(name, action, "Bucket.Arn/images_for_detection/*")
    actions = {a for policy in granted(role_of(name)) for a in listed(policy["Action"])}
    assert "rekognition:DetectCustomLabels" in actions


def test_who_trains_may_write_the_evaluation() -> None:
    assert may("TrainModel", "s3:PutObject", "Bucket.Arn/evaluation/*")


def test_only_its_own_services_and_the_owner_may_use_the_bucket() -> None:
    allowed = list(granted(template()["Resources"]["BucketPolicy"]))

    assert {f["Principal"]["Service"] for f in allowed} == {"rekognition.amazonaws.com"}
    assert all("aws:SourceAccount" in f["Condition"]["StringEquals"] for f in allowed)
