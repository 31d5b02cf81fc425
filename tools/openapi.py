"""Write the contract of the console's API, console/openapi.json, as the code declares it.

`python -m tools.openapi` writes it; the page's types are made from it (`npm run api` in console/).
A route stands in it with its role, what it takes (path, query and body, by the kinds of
`loupe.console.schema`), what it answers (the type that it returns), and which errors may come.
"""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, is_dataclass
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    NotRequired,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from aws_lambda_powertools.event_handler import Response

from loupe.console import page, reports
from loupe.console.answers import Denial, Message
from loupe.console.app import PAGES
from loupe.console.schema import (
    AnyText,
    Flag,
    Instant,
    Kind,
    Many,
    Number,
    OneOf,
    Position,
    Text,
    Whole,
    kinds,
    sent_name,
)

FILE = Path(__file__).resolve().parent.parent / "console" / "openapi.json"
PLAIN: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
ERRORS = {
    400: (Message, "The request cannot be meant; the message names the field and what it takes."),
    401: (Denial, "Nobody is signed in."),
    403: (Denial, "The role is not one of those that may."),
    404: (Message, "What the request is about is not there."),
    409: (Message, "Somebody else was faster, or it is done already."),
    413: (Denial, "The body is too large."),
    502: (Message, "A service refuses; the message has its words."),
    503: (Message, "A service does not answer now."),
}
Schema = dict[str, Any]


@dataclass(frozen=True)
class Route:
    """A route of the API: `path` has its parameters in braces.

    Its callers are people with one of `roles`, applications that sign (`is_signed`), or anybody.
    """

    method: str
    path: str
    function: Callable[..., Any]
    roles: tuple[str, ...]
    is_signed: bool

    @property
    def security(self) -> list[dict[str, list[str]]]:
        """Who may call it, as OpenAPI says it."""
        if self.is_signed:
            return [{"application": []}]
        return [{"person": [role]} for role in self.roles]


def routes() -> Iterator[Route]:
    """Every route, in the order of the pages."""
    for prefix, routers in (("", [page.router, reports.router]), ("/api", PAGES)):
        for router in routers:
            for declared, function in router._routes.items():
                rule, (method, *_) = str(declared[0]), declared[1]
                yield Route(
                    method=method,
                    path=prefix + rule.replace("<", "{").replace(">", "}"),
                    function=function,
                    roles=_roles(function),
                    is_signed=router is reports.router,
                )


def _roles(function: Callable[..., Any]) -> tuple[str, ...]:
    """The roles that `Api.offer` lets call a route."""
    roles: tuple[str, ...] = inspect.getclosurevars(function).nonlocals["roles"]
    return roles


def document() -> dict[str, Any]:
    """The whole contract."""
    schemas = Schemas({}, {})
    answers = Answers(schemas)
    requests = Requests(schemas)
    errors = {
        str(status): {"description": means, "content": _json(answers.schema(answer))}
        for status, (answer, means) in ERRORS.items()
    }
    paths: dict[str, dict[str, Any]] = {}
    for route in routes():
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(
            route, requests, answers
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Loupe's console", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.written.items())),
            "responses": errors,
            "securitySchemes": {
                "person": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "application": {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "description": "Signature Version 4 for the service execute-api.",
                },
            },
        },
    }


def _operation(route: Route, requests: "Requests", answers: "Answers") -> dict[str, Any]:
    hints = get_type_hints(route.function, include_extras=True)
    answer, query, body = hints.pop("return"), hints.pop("query", None), hints.pop("body", None)
    operation: dict[str, Any] = {
        "operationId": f"{route.function.__module__.rpartition('.')[2]}.{route.function.__name__}",
        "summary": _first_line(route.function),
        "security": route.security,
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": requests.schema(_kind(hint))}
        for name, hint in hints.items()
    ]
    if query:
        parameters += requests.parameters(query)
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {"required": True, "content": _json(requests.shape(body))}
    operation["responses"] = {"200": _answer(answer, answers)} | {
        str(status): {"$ref": f"#/components/responses/{status}"}
        for status in _errors(route, bool(hints), query is not None, body is not None)
    }
    return operation


def _answer(declared: Any, answers: "Answers") -> dict[str, Any]:
    """A route that returns a `Response` answers with a file and not with JSON."""
    if get_origin(declared) is Response:
        return {"description": "A file.", "content": {"*/*": {}}}
    return {"description": "What is asked for.", "content": _json(answers.schema(declared))}


def _errors(route: Route, path: bool, query: bool, body: bool) -> list[int]:
    """Which errors may come, by what the route takes and whether it changes anything."""
    changes, guarded = route.method != "GET", bool(route.security)
    may_come = {
        400: path or query or changes,
        401: guarded,
        403: guarded,
        404: path or body,
        409: changes,
        413: body,
        502: guarded,
        503: guarded,
    }
    return [status for status, may in may_come.items() if may]


@dataclass(frozen=True)
class Schemas:
    """The schemas that have a name, which is their type's."""

    types: dict[str, type]
    written: dict[str, Schema]

    def refer(self, declared: type, write: Callable[[], Schema]) -> Schema:
        """A reference to the schema of `declared`, which is written once."""
        name = declared.__name__
        if self.types.setdefault(name, declared) is not declared:
            raise TypeError(f"Two types are called {name}: {declared}, {self.types[name]}.")
        if name not in self.written:
            self.written[name] = write()
        return {"$ref": f"#/components/schemas/{name}"}


@dataclass(frozen=True)
class Requests:
    """The schemas of what requests hold."""

    schemas: Schemas

    def parameters(self, query: type) -> list[dict[str, Any]]:
        """The parameters of a query string."""
        return [
            {
                "name": sent_name(field),
                "in": "query",
                "required": field.default is MISSING,
                "schema": self.schema(kind),
            }
            for field, kind in kinds(query).items()
        ]

    def shape(self, declared: type) -> Schema:
        """A body, or an object in one."""
        return self.schemas.refer(declared, lambda: self._object(declared))

    def _object(self, declared: type) -> Schema:
        taken = kinds(declared)
        return {
            "type": "object",
            "description": _first_line(declared),
            "properties": {sent_name(field): self.schema(kind) for field, kind in taken.items()},
            "required": [sent_name(field) for field in taken if field.default is MISSING],
        }

    def schema(self, kind: Kind) -> Schema:
        """What a field takes, also in words: a schema cannot say all of it."""
        return {**self._limits(kind), "description": f"It takes {kind.takes}."}

    def _limits(self, kind: Kind) -> Schema:
        match kind:
            case OneOf(values):
                return {"type": "string", "enum": list(values)}
            case Flag():
                return {"type": "boolean"}
            case Whole(low, high):
                return {"type": "integer", "minimum": low, "maximum": high}
            case Number(low, high):
                return {"type": "number", "minimum": low, "maximum": high}
            case Many(item, most):
                items = self.shape(item) if isinstance(item, type) else self.schema(item)
                return {"type": "array", "minItems": 1, "maxItems": most, "items": items}
            case Text() | AnyText() | Instant() | Position():
                return {"type": "string"}
        raise TypeError(f"{kind!r} has no schema: add one here.")


@dataclass(frozen=True)
class Answers:
    """The schemas of what routes answer."""

    schemas: Schemas

    def schema(self, declared: Any) -> Schema:
        """What is answered where `declared` is returned."""
        if declared in PLAIN:
            return {"type": PLAIN[declared]}
        if declared is NoneType:
            return {"type": "null"}
        if isinstance(declared, type) and get_origin(declared) is None:
            return self.schemas.refer(declared, lambda: self._named(declared))
        return self._composed(get_origin(declared), get_args(declared))

    def _composed(self, origin: Any, arguments: tuple[Any, ...]) -> Schema:
        if origin is Literal:
            return {"type": "string", "enum": list(arguments)}
        if origin in (Union, UnionType):
            return {"anyOf": [self.schema(each) for each in arguments]}
        if origin is list or arguments[1:] == (...,):
            return {"type": "array", "items": self.schema(arguments[0])}
        if origin is tuple:
            each = [self.schema(argument) for argument in arguments]
            return {"type": "array", "prefixItems": each, "items": False, "minItems": len(each)}
        if origin in (dict, Mapping):
            return {"type": "object", "additionalProperties": self.schema(arguments[1])}
        if is_typeddict(origin):
            return self._object(origin, dict(zip(origin.__parameters__, arguments, strict=True)))
        raise TypeError(f"{origin!r} of {arguments!r} has no schema: add one here.")

    def _named(self, declared: type) -> Schema:
        if issubclass(declared, StrEnum):
            return {"type": "string", "enum": list(declared), "description": declared.__doc__}
        if not is_typeddict(declared) and not is_dataclass(declared):
            raise TypeError(f"{declared} has no schema: answer with a TypedDict or a dataclass.")
        return self._object(declared, {})

    def _object(self, declared: type, filled: Mapping[TypeVar, Any]) -> Schema:
        """An object has all that is declared, and nothing else."""
        hints = get_type_hints(declared, include_extras=True)
        optional = {name for name, hint in hints.items() if get_origin(hint) is NotRequired}
        return {
            "type": "object",
            "description": inspect.cleandoc(declared.__doc__ or ""),
            "properties": {
                name: self.schema(_filled(hint, filled)) for name, hint in hints.items()
            },
            "required": [name for name in hints if name not in optional],
            "additionalProperties": False,
        }


def _filled(hint: Any, filled: Mapping[TypeVar, Any]) -> Any:
    """A type without `NotRequired`, and with what stands for the variables in it."""
    if get_origin(hint) is NotRequired:
        return get_args(hint)[0]
    parameters = getattr(hint, "__parameters__", ())
    return hint[tuple(filled[each] for each in parameters)] if parameters else hint


def _kind(hint: Any) -> Kind:
    """The kind that a parameter of a path is annotated with."""
    kind: Kind = hint.__metadata__[0]
    return kind


def _json(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _first_line(declared: Any) -> str:
    return (declared.__doc__ or "").partition("\n")[0]


def render() -> str:
    """The contract as its file holds it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(render())
