"""Business rule: the page and the API have one contract, which is made from the API's code."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import pytest
from jsonschema import ValidationError

from loupe.console import overview
from loupe.console.access import User
from loupe.console.schema import Text
from tests.console.console import PUBLIC, ROUTES, SIGNED, Console
from tests.console.contract import CONTRACT, check_answer
from tools.openapi import FILE, Answers, Requests, Schemas, render


def test_the_contract_is_what_the_code_makes() -> None:
    assert FILE.read_text() == render(), "run `make contract`"


def test_every_route_is_in_it_with_its_roles() -> None:
    contract = {
        (method.upper(), path): tuple(
            role for need in operation["security"] for role in need.get("person", ())
        )
        for path, operations in CONTRACT["paths"].items()
        for method, operation in operations.items()
    }
    listed: dict[tuple[str, str], tuple[str, ...]] = {
        **dict.fromkeys(PUBLIC | SIGNED, ()),
        **ROUTES,
    }

    assert contract == {
        (method, path.replace("<", "{").replace(">", "}")): roles
        for (method, path), roles in listed.items()
    }


def test_it_says_what_a_request_takes() -> None:
    listing = CONTRACT["paths"]["/api/detections"]["get"]
    choice = CONTRACT["paths"]["/api/models/{name}/against/{older}"]["get"]
    body = CONTRACT["components"]["schemas"]["File"]

    taken = {each["name"]: each["schema"] for each in listing["parameters"]}
    assert list(taken) == ["limit", "cursor", "state", "label", "min", "max", "from", "to"]
    assert (taken["limit"]["minimum"], taken["limit"]["maximum"]) == (1, 100)
    assert "rejected" in taken["state"]["enum"]
    assert not any(each["required"] for each in listing["parameters"])
    assert [(each["name"], each["in"]) for each in choice["parameters"]] == [
        ("name", "path"),
        ("older", "path"),
    ]
    assert body["required"] == ["name", "size", "type"]
    assert body["properties"]["label"]["type"] == "string"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "ann"},
        {"name": "ann", "roles": ["operator"], "age": 1},
        {"name": "ann", "roles": ["king"]},
        {"name": 1, "roles": []},
    ],
    ids=["a field is missing", "one too many", "no such role", "no text"],
)
def test_an_answer_that_breaks_the_contract_fails_its_test(body: Any) -> None:
    check_answer("GET", "/api/me", 200, {"name": "ann", "roles": ["operator"]})

    with pytest.raises(ValidationError):
        check_answer("GET", "/api/me", 200, body)


def test_an_error_is_a_message_and_only_where_it_may_come() -> None:
    check_answer("GET", "/api/models/v1", 404, {"message": "There is no v1."})
    check_answer("GET", "/api/nothing", 404, {"message": "There is no GET /api/nothing."})

    with pytest.raises(ValidationError):
        check_answer("GET", "/api/models/v1", 404, {"error": "There is no v1."})
    with pytest.raises(AssertionError, match="409"):
        check_answer("GET", "/api/me", 409, {"message": "Somebody was faster."})


def test_every_answer_in_the_tests_is_held_to_it(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "current_user", lambda _: User("ann", ("king",)))  # type: ignore[arg-type]

    with pytest.raises(ValidationError, match="king"):
        console.ask("GET", "/api/me")


@dataclass(frozen=True)
class Same:
    """What a request holds."""

    label: Annotated[str, Text(9)]


def another() -> type:
    """A type of an answer that has the same name."""

    class Same(TypedDict):
        label: str

    return Same


def test_two_types_of_one_name_are_no_contract() -> None:
    schemas = Schemas({}, {})
    Requests(schemas).shape(Same)

    with pytest.raises(TypeError, match="Two types are called Same"):
        Answers(schemas).schema(another())


@pytest.mark.parametrize("declared", [Any, object, list, set[str]], ids=str)
def test_an_answer_without_a_shape_is_no_contract(declared: Any) -> None:
    with pytest.raises((TypeError, AttributeError)):
        Answers(Schemas({}, {})).schema(declared)


def test_the_contract_is_json_in_utf_8() -> None:
    assert json.loads(FILE.read_bytes().decode()) == CONTRACT
