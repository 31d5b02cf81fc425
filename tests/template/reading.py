"""The template as data: read without SAM, with its few intrinsic functions resolved."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml  # type: ignore[import-untyped]
from samtranslator.translator.transform import transform

ROOT = Path(__file__).parents[2]
STACK = "loupe"
PSEUDO = {
    "AWS::StackName": STACK,
    "AWS::StackId": f"arn:aws:cloudformation:us-east-1:123456789012:stack/{STACK}/1",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
}
SHORT = {"Ref": "Ref", "Condition": "Condition"}


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Understands `!Ref` and its like."""


def _intrinsic(loader: Any, name: str, node: Any) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {SHORT.get(name, f"Fn::{name}"): value}


_Loader.add_multi_constructor("!", _intrinsic)


@cache
def template() -> dict[str, Any]:
    """The whole template, unresolved."""
    return dict(yaml.load((ROOT / "template.yaml").read_text(), _Loader))


@cache
def everything() -> dict[str, Any]:
    """`{logical id: resource}` of the template and of its nested stacks, whose parameters are
    replaced by what the template hands in."""
    every = dict(template()["Resources"])
    for name in nested_stacks():
        inner = nested_template(name)["Resources"]
        assert not every.keys() & inner.keys()
        every |= _handed_in(inner, every[name]["Properties"]["Parameters"])
    return every


def nested_stacks() -> list[str]:
    """Logical ids of the nested stacks."""
    found = template()["Resources"].items()
    return [name for name, resource in found if resource["Type"] == "AWS::CloudFormation::Stack"]


@cache
def nested_template(logical_id: str) -> dict[str, Any]:
    """The template of a nested stack, unresolved."""
    path = template()["Resources"][logical_id]["Properties"]["TemplateURL"]
    return dict(yaml.load((ROOT / path).read_text(), _Loader))


def _handed_in(value: Any, values: Mapping[str, Any]) -> Any:
    """`value` of a nested stack with `values` in place of the parameters' names."""
    if isinstance(value, list):
        return [_handed_in(inner, values) for inner in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": name} if name in values:
            return values[name]
        case {"Fn::Sub": str(text)}:
            return {"Fn::Sub": re.sub(r"\$\{(\w+)\}", lambda m: _in_text(m, values), text)}
    return {key: _handed_in(inner, values) for key, inner in value.items()}


def _in_text(found: re.Match[str], values: Mapping[str, Any]) -> str:
    """What stands in a Sub for a parameter: a Ref or a GetAtt of the template's own."""
    (name,) = values.get(found[1], {"Ref": found[1]}).values()
    return f"${{{name}}}"


class _NoManagedPolicies:
    """SAM asks for the names of AWS's managed policies; the template uses none."""

    def load(self) -> dict[str, str]:
        return {}


@cache
def translated() -> dict[str, Any]:
    """The template as CloudFormation gets it: SAM's resources replaced by what they stand for."""
    with patch.dict("os.environ", AWS_DEFAULT_REGION=PSEUDO["AWS::Region"]):
        return dict(transform(_uploaded(template()), {}, _NoManagedPolicies()))


def _uploaded(value: Any) -> Any:
    """A copy of `value` in which local paths are addresses in S3, as `sam deploy` makes them."""
    if isinstance(value, list):
        return [_uploaded(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    paths = ("CodeUri", "ContentUri", "DefinitionUri")
    return {k: "s3://code/x" if k in paths else _uploaded(inner) for k, inner in value.items()}


def roles() -> dict[str, dict[str, Any]]:
    """`{logical id: properties}` of every role that is deployed, SAM's own included."""
    found = translated()["Resources"].items()
    return {name: r["Properties"] for name, r in found if r["Type"] == "AWS::IAM::Role"}


def role_of(logical_id: str) -> dict[str, Any]:
    """The properties of the role that a function or state machine runs in."""
    (name,) = references(template()["Resources"][logical_id]["Properties"]["Role"])
    return roles()[name]


def granted(value: Any) -> Iterator[dict[str, Any]]:
    """Every policy statement inside `value` that allows something."""
    if isinstance(value, list):
        for inner in value:
            yield from granted(inner)
    elif isinstance(value, dict):
        if value.get("Effect") == "Allow":
            yield value
        for inner in value.values():
            yield from granted(inner)


def listed(value: Any) -> list[Any]:
    """IAM takes one or several."""
    return value if isinstance(value, list) else [value]


def may(logical_id: str, action: str, resource: str) -> bool:
    """Whether the role of `logical_id` names `action` on `resource`, as `resolved` writes it."""
    return any(
        action in listed(statement["Action"]) and resource in listed(statement["Resource"])
        for statement in granted(resolved(role_of(logical_id)["Policies"], {}))
    )


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """`{logical id: resource}` of a type, those of nested stacks included."""
    found = everything()
    return {name: resource for name, resource in found.items() if resource["Type"] == kind}


def properties(logical_id: str, names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A resource's properties, resolved; `names` are what `Ref` and `GetAtt` of others give."""
    return dict(resolved(everything()[logical_id]["Properties"], names or {}))


def resolved(value: Any, names: Mapping[str, str]) -> Any:
    """`value` without Ref, Sub and GetAtt. What `names` leaves out stands by its own name."""
    if isinstance(value, list):
        return [resolved(inner, names) for inner in value]
    if not isinstance(value, dict):
        return value
    known = {**PSEUDO, **names}
    match value:
        case {"Ref": name}:
            return known.get(name, name)
        case {"Fn::GetAtt": name}:
            name = name if isinstance(name, str) else ".".join(name)
            return known.get(name, name)
        case {"Fn::Sub": text}:
            return re.sub(r"\$\{([^}]+)\}", lambda m: known.get(m[1], m[1]), text)
    return {key: resolved(inner, names) for key, inner in value.items()}


def references(value: Any) -> set[str]:
    """Logical ids that `value` points to by Ref, GetAtt or Sub."""
    if isinstance(value, list):
        return {name for inner in value for name in references(inner)}
    if not isinstance(value, dict):
        return set()
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": str(name)}:
            return {name.split(".")[0]}
        case {"Fn::GetAtt": [name, *_]}:
            return {name}
        case {"Fn::Sub": text}:
            return {name.split(".")[0] for name in re.findall(r"\$\{([^}]+)\}", text)}
    return {name for inner in value.values() for name in references(inner)}


def handler_modules() -> dict[str, str]:
    """`{function's logical id: handler module}`."""
    return {
        name: function["Properties"]["Handler"].split(".")[2]
        for name, function in resources("AWS::Serverless::Function").items()
    }
