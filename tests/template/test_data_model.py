"""docs/data-model.md says what is in the table: the chart, the adapters and the template agree."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from loupe.adapters.table import INDEX_KEYS
from tests.template.reading import ROOT, properties
from tools.data_model import LOUPE, PAGE, ItemKind, chart, indexes, page, writers_of

KINDS = chart()
RELEASED = ROOT / "tests/upgrade/released/0.1.0/items.jsonl"
ANY = "<>"
"""Stands for what a key is made with."""
KEYED = {"get", "update", "delete", "children"}
"""Methods of `Table` whose first arguments are `pk` and `sk`."""
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.pk} {kind.sk}")


def pattern(node: ast.expr, tree: ast.Module) -> str:
    """A key as the code builds it: `VERSION#<>` of `f"VERSION#{name}"`."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(pattern(part, tree) for part in parts)
        case ast.FormattedValue(value=ast.Name() as name) if name.id.isupper():
            return pattern(name, tree)
        case ast.Name(id=name):
            return next((pattern(value, tree) for value in constants(name, tree)), ANY)
        case ast.Call(func=ast.Name(id=name)):
            return next((pattern(value, tree) for value in returned(name, tree)), ANY)
    return ANY


def constants(name: str, tree: ast.Module) -> Iterator[ast.expr]:
    """The value of a constant of a module."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == [name]:
            yield node.value


def returned(name: str, tree: ast.Module) -> Iterator[ast.expr]:
    """What a function of a module returns."""
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name == name:
            yield from (n.value for n in function.body if isinstance(n, ast.Return) and n.value)


def keys(path: Path) -> Iterator[tuple[str, str]]:
    """(pk, sk) of every key that an adapter builds."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        match node:
            case ast.Dict(keys=[ast.Constant(value="pk"), ast.Constant(value="sk"), *_]):
                yield pattern(node.values[0], tree), pattern(node.values[1], tree)
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(attr="_table"), attr=method),
                args=[pk, *more],
            ) if method in KEYED:
                yield pattern(pk, tree), pattern(more[0], tree) if more else ANY
            case ast.Call(func=ast.Name(id="update"), args=[pk, sk, *_]):
                yield pattern(pk, tree), pattern(sk, tree)


def built() -> set[tuple[str, str]]:
    """Every key that adapters build, without those that are handed to them whole."""
    paths = (LOUPE / "adapters").glob("*.py")
    return {key for path in paths for key in keys(path) if re.match("[A-Z]+", key[0])}


def charted(key: str) -> str:
    """A key of the chart as `pattern` writes it."""
    return re.sub("<.*?>", ANY, key)


def kinds_of(pk: str, sk: str) -> list[ItemKind]:
    """The rows of the chart that a stored key fits; those without a placeholder first."""

    def fits(of_chart: str, key: str) -> bool:
        return bool(re.fullmatch(re.sub("<.*?>", ".+", of_chart), key))

    rows = [kind for kind in KINDS if fits(kind.pk, pk) and fits(kind.sk, sk)]
    return sorted(rows, key=lambda kind: "<" in kind.sk)


def test_the_page_is_made_from_the_code() -> None:
    assert page(PAGE.read_text()) == PAGE.read_text()


def test_every_key_that_an_adapter_builds_is_in_the_chart() -> None:
    rows = {(charted(kind.pk), charted(kind.sk)) for kind in KINDS}

    assert {pk for pk, _ in built()} == {pk for pk, _ in rows}
    assert {key for key in built() if key[1] != ANY} <= rows


@every_kind
def test_every_kind_of_item_is_written_by_somebody(kind: ItemKind) -> None:
    by_the_table = kind.pk.partition("#")[0] in {"EVENT", "HOURS", "COUNTS"}

    assert by_the_table or writers_of(kind.name)


@every_kind
def test_the_indexes_of_an_item_exist(kind: ItemKind) -> None:
    assert set(kind.indexes) <= INDEX_KEYS.keys()


def test_the_charts_indexes_are_those_of_the_template() -> None:
    made = {
        index["IndexName"]: tuple(key["AttributeName"] for key in index["KeySchema"])
        for index in properties("Table")["GlobalSecondaryIndexes"]
    }

    assert made == INDEX_KEYS
    charted = {
        name: tuple(cell.split("`")[1] for cell in (partition, order))
        for name, partition, order, _ in indexes()
    }
    assert charted == INDEX_KEYS


def test_every_item_of_the_last_release_has_its_row() -> None:
    items = [json.loads(line) for line in RELEASED.read_text().splitlines()]

    for item in items:
        assert kinds_of(item["pk"]["S"], item["sk"]["S"]), item["pk"]
