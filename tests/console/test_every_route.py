"""Business rule: every route has a test of what it is for, in the file of its module."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.console.contract import CONTRACT

HERE = Path(__file__).parent
MODULES = {"page": "app"}
"""Where the tests of a module's routes are, unless they are in the file of its name."""


def test_every_route_has_a_happy_test_in_the_file_of_its_module() -> None:
    missing = []
    for path, operations in CONTRACT["paths"].items():
        for method, operation in operations.items():
            module = operation["operationId"].partition(".")[0]
            file = HERE / f"test_{MODULES.get(module, module)}.py"
            asked = set(_asked(file)) if file.exists() else set()
            if not any(_leads_to(request, method.upper(), path) for request in asked):
                missing.append(f"{file.name}: no test calls {method.upper()} {path}")

    assert missing == []


def _asked(file: Path) -> Iterator[tuple[str, str]]:
    """(method, path) of each `console.ok(method, path)`; a part that is filled in becomes `{}`."""
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="ok"), args=[ast.Constant(value=method), path, *_]
            ):
                yield str(method), _text(path)


def _text(path: ast.expr) -> str:
    match path:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) for part in parts)
        case _:
            return "{}"


def _leads_to(request: tuple[str, str], method: str, path: str) -> bool:
    """A path that is written out may fill in a parameter, and no other part."""
    pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
    return request[0] == method and re.fullmatch(pattern, request[1]) is not None


def test_a_route_that_no_test_calls_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "test_one.py"
    file.write_text('console.ok("GET", f"/api/models/{name}")\nconsole.ask("GET", "/api/models")')

    (request,) = _asked(file)

    assert _leads_to(request, "GET", "/api/models/{name}")
    assert not _leads_to(request, "POST", "/api/models/{name}")
    assert not _leads_to(request, "GET", "/api/models")
    assert not _leads_to(request, "GET", "/api/models/{name}/against/{older}")
