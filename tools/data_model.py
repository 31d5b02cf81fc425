"""Writes docs/data-model.md from the code: `python -m tools.data_model`."""

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from loupe.adapters import table
from loupe.domain.stored_names import stored_name

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "data-model.md"
LOUPE = ROOT / "functions" / "loupe"
MARK = "<!-- From here on made from functions/loupe/ by 'python -m tools.data_model'. -->\n"
WRITES = {
    *("_table.write", "_table.put_new", "_table.update", "_table.delete"),
    *("put_new", "save", "update", "new_record", "changed_record"),
    *("table.put_new", "table.save", "table.update", "table.new_record", "table.changed_record"),
}
"""What an adapter calls to write to the table, or to make a write."""
WITH_EVENTS = "every change that has an event"
WITH_STATE = "every change of an image's or a review's state"
BY_THE_TABLE = {"EVENT": WITH_EVENTS, "HOURS": WITH_EVENTS, "COUNTS": WITH_STATE}
"""Who writes what `Table.write` adds by itself."""


@dataclass(frozen=True)
class ItemKind:
    """A row of the chart at the head of `adapters/table.py`."""

    pk: str
    sk: str
    meaning: str
    holds: tuple[str, ...]
    indexes: tuple[str, ...]

    @property
    def name(self) -> str:
        """The part of its key that no other kind has: VERSION, or LEASE of `STATE, LEASE`."""
        return (self.sk if self.pk == "STATE" else self.pk).partition("#")[0]

    @property
    def records(self) -> tuple[str, ...]:
        """The dataclasses whose fields are its attributes."""
        return tuple(name for name in self.holds if name in dataclasses())

    @property
    def more(self) -> tuple[str, ...]:
        """Its attributes beside those."""
        return tuple(name for name in self.holds if name not in dataclasses())


def rows(text: str) -> list[list[list[str]]]:
    """The tables of a docstring, each without its head."""
    blocks = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    return [
        [[cell.strip() for cell in line[1:-1].split("|")] for line in block.splitlines()[2:]]
        for block in blocks
    ]


def chart() -> list[ItemKind]:
    """All kinds of items."""
    return [
        ItemKind(pk, sk, meaning, _listed(holds), _listed(indexes))
        for pk, sk, meaning, holds, indexes in rows(table.__doc__ or "")[0]
    ]


def indexes() -> list[list[str]]:
    """Name, partition, order and meaning of each index."""
    return rows(table.__doc__ or "")[1]


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(filter(None, cell.split(", ")))


@cache
def dataclasses() -> Mapping[str, type]:
    """The dataclasses that the adapters read and write, by name."""
    modules = [
        importlib.import_module(f"loupe.adapters.{path.stem}")
        for path in sorted((LOUPE / "adapters").glob("*.py"))
    ]
    named = [pair for module in modules for pair in vars(module).items()]
    return {name: each for name, each in named if isinstance(each, type) and is_dataclass(each)}


def page(text: str) -> str:
    """The page with its charts made anew; what stands before the mark is kept."""
    return text.partition(MARK)[0] + MARK + "\n" + "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    kinds = chart()
    yield from ("## Items", "")
    yield from ("| `pk` | `sk` | what it is | attributes | indexes | written by |",)
    yield "| --- | --- | --- | --- | --- | --- |"
    yield from (_row(kind) for kind in kinds)
    yield from ("", "## Indexes", "")
    yield from ("| index | partition | sorted by | lists |", "| --- | --- | --- | --- |")
    for name, *cells in indexes():
        yield f"| `{name}` | {' | '.join(cells)} |"
    yield from ("", "## Records", "")
    for name in dict.fromkeys(record for kind in kinds for record in kind.records):
        yield from _record(dataclasses()[name])


def _row(kind: ItemKind) -> str:
    linked = [f"[{name}](#{name.lower()})" for name in kind.records]
    attributes = ", ".join([*linked, *(f"`{name}`" for name in kind.more)])
    writers = BY_THE_TABLE.get(kind.pk.partition("#")[0]) or ", ".join(
        f"`{name}`" for name in sorted(writers_of(kind.name))
    )
    indexes = ", ".join(f"`{name}`" for name in kind.indexes)
    cells = (f"`{kind.pk}`", f"`{kind.sk}`", kind.meaning, attributes, indexes, writers)
    return f"| {' | '.join(cells)} |"


# Records


def _record(kind: type) -> Iterator[str]:
    """A record's attributes, and those of the records inside it."""
    hints = get_type_hints(kind)
    yield from (f"### {kind.__name__}", "", _purpose(kind), "")
    yield from ("| attribute | holds |", "| --- | --- |")
    yield from (f"| `{stored_name(f)}` | {_hint(hints[f.name])} |" for f in fields(kind))
    yield ""


def _purpose(kind: type) -> str:
    """The first sentence of a dataclass's docstring, and where the dataclass stands."""
    sentence = " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
    return f"{sentence} (`{kind.__module__.removeprefix('loupe.').replace('.', '/')}.py`)"


def _hint(hint: Any) -> str:
    """A type in words: `texts`, `list of Answer (worker, label, at)`."""
    inner = [each for each in get_args(hint) if each not in (NoneType, ...)]
    if get_origin(hint) is UnionType:
        return f"{_hint(inner[0])}, or nothing"
    if get_origin(hint) is tuple:
        return f"list of {_hint(inner[0])}"
    if inner:
        return f"map of text to {_hint(inner[1])}"
    if isinstance(hint, type) and is_dataclass(hint):
        return f"{hint.__name__} ({', '.join(stored_name(f) for f in fields(hint))})"
    return WORDS.get(hint) or f"{hint.__name__}: {', '.join(filter(None, hint))}"


WORDS: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    bytes: "bytes",
    Any: "anything",
    datetime: "time",
}


# Who writes


def writers_of(name: str) -> set[str]:
    """The modules that write items of a kind, such as `services/training`."""
    return {writer for writer, names in _writers().items() if name in names}


@cache
def _writers() -> Mapping[str, set[str]]:
    """`{module: names of the kinds that it writes}`."""
    writers: dict[str, set[str]] = defaultdict(set)
    written = _written()
    for path in sorted([*LOUPE.glob("services/**/*.py"), *LOUPE.glob("adapters/*.py")]):
        module = path.relative_to(LOUPE).with_suffix("").as_posix()
        tree = ast.parse(path.read_text())
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            callee = _callee(call, _imported(tree))
            writers[module] |= written.get(callee, set())
            if callee == "pointers.save":
                writers[module] |= set(_texts(call.args[0], tree))
    return writers


def _callee(call: ast.Call, imported: Mapping[str, str]) -> str:
    """What is called, as `_written` names it: `versions.begin`, or `reviews.take_place`."""
    match call.func:
        case ast.Attribute(value=ast.Attribute(attr=owner) | ast.Name(id=owner), attr=method):
            return f"{owner.removeprefix('_')}.{method}"
        case ast.Name(id=name):
            return imported.get(name, "")
    return ""


def _imported(tree: ast.Module) -> Mapping[str, str]:
    """`{name: module.name}` of what a module imports from adapters."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {
        alias.name: f"{node.module.rpartition('.')[2]}.{alias.name}"
        for node in nodes
        if node.module and node.module.startswith("loupe.adapters.")
        for alias in node.names
    }


def _written() -> Mapping[str, set[str]]:
    """`{adapter.function: names of the kinds that it writes}`; an adapter is named as in `Deps`."""
    names = {kind.name for kind in chart()}
    written = {}
    for path in sorted((LOUPE / "adapters").glob("*.py")):
        if path.stem == "table":
            continue
        tree = ast.parse(path.read_text())
        functions = _functions(tree)
        for name in functions:
            reached = [functions[each] for each in _reached(name, functions)]
            if any(_called(function) & WRITES for function in reached):
                texts = {text for function in reached for text in _texts(function, tree)}
                key = f"{path.stem}.{name.removeprefix('self.')}"
                written[key] = {text.partition("#")[0] for text in texts} & names
    return written


def _functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    """Functions of a module, and methods as `self.name`."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
            functions |= {f"self.{method.name}": method for method in methods}
    return functions


def _reached(name: str, functions: Mapping[str, ast.FunctionDef]) -> set[str]:
    """A function and those of its module that it calls, directly or not."""
    reached, queue = {name}, [name]
    while queue:
        further = _called(functions[queue.pop()]) & functions.keys() - reached
        reached |= further
        queue += further
    return reached


def _called(function: ast.FunctionDef) -> set[str]:
    """What a function calls: `name`, `self.name`, `_table.name`."""
    names = set()
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Name(id=name)):
                names.add(name)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name)
            ):
                names.add(f"{owner}.{name}")
    return names


def _texts(node: ast.AST, tree: ast.Module) -> Iterator[str]:
    """Texts in a part of a module, the module's constants that it names included."""
    constants = {
        assign.targets[0].id: assign.value.value
        for assign in tree.body
        if isinstance(assign, ast.Assign)
        and isinstance(assign.targets[0], ast.Name)
        and isinstance(assign.value, ast.Constant)
    }
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value
        if isinstance(part, ast.Name) and isinstance(constants.get(part.id), str):
            yield str(constants[part.id])


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
