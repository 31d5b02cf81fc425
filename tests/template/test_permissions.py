"""Business rule: every role has its own actions and resources only; `*` is explained."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.template.reading import ROOT, references, resources, template

TEXT = (ROOT / "template.yaml").read_text()
LINES = TEXT.splitlines()
FUNCTIONS = resources("AWS::Serverless::Function")


def statements(value: Any) -> Iterator[dict[str, Any]]:
    """Every policy statement inside `value`."""
    if isinstance(value, list):
        for inner in value:
            yield from statements(inner)
    elif isinstance(value, dict):
        if "Effect" in value:
            yield value
        for inner in value.values():
            yield from statements(inner)


def granted(value: Any) -> Iterator[dict[str, Any]]:
    """Every statement inside `value` that allows something."""
    return (found for found in statements(value) if found["Effect"] == "Allow")


def listed(value: Any) -> list[Any]:
    """IAM takes one or several."""
    return value if isinstance(value, list) else [value]


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
    assert len(WIDE) == TEXT.count('Resource: "*"') + TEXT.count('- "*"\n')


@pytest.mark.parametrize(("first", "last"), WIDE, ids=lambda line: str(line + 1))
def test_a_resource_without_bounds_says_why(first: int, last: int) -> None:
    comments = [line for line in LINES[first - 1 : last] if line.lstrip().startswith("# ")]

    assert comments, f"template.yaml:{first + 1}: say in a comment why the resource is '*'"


def test_no_role_may_do_everything_of_a_service() -> None:
    actions = [action for found in granted(template()) for action in listed(found["Action"])]

    assert actions
    assert not [action for action in actions if "*" in action]


def test_no_statement_turns_a_list_around() -> None:
    assert not [f for f in granted(template()) if f.keys() & {"NotAction", "NotResource"}]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_a_role_of_its_own(name: str) -> None:
    found = FUNCTIONS[name]["Properties"]

    assert "Role" not in found
    assert list(granted(found["Policies"]))


def test_no_function_writes_a_setting_but_the_one_that_operators_use() -> None:
    writers = {
        name
        for name, found in FUNCTIONS.items()
        for statement in granted(found["Properties"]["Policies"])
        for action in listed(statement["Action"])
        if action.startswith("ssm:") and action != "ssm:GetParameters"
    }

    assert writers <= {"ServeConsole"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_objects_are_reached_below_named_prefixes_only(name: str) -> None:
    for found in granted(FUNCTIONS[name]["Properties"]["Policies"]):
        if any(a.startswith(("s3:Get", "s3:Put")) for a in listed(found["Action"])):
            for resource in listed(found["Resource"]):
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

    assert own <= references(found["Policies"])


def test_only_its_own_services_and_the_owner_may_use_the_bucket() -> None:
    allowed = list(granted(template()["Resources"]["BucketPolicy"]))

    assert {f["Principal"]["Service"] for f in allowed} == {"rekognition.amazonaws.com"}
    assert all("aws:SourceAccount" in f["Condition"]["StringEquals"] for f in allowed)
