"""The names of MiniStack that a source uses, read from the source itself.

A name is where it leads from what was imported: `stacks._delete_resource`,
`provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]`, an attribute of a class that was inherited
from, or of a variable that is annotated with a class.
"""

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PACKAGE = "ministack"
DYNAMIC = {"getattr", "setattr", "hasattr", "delattr", "__import__"}
"""Calls whose name is not in the source."""


@dataclass(frozen=True)
class Name:
    """A module or what it holds, with the attributes and keys that lead on from there."""

    line: int
    target: str
    steps: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join((self.target, *self.steps))


def names_in(source: str) -> Iterator[Name]:
    """Every name of MiniStack in a source.

    Raises:
        ValueError: one is made up while it runs, so that nobody could look it up.
    """
    tree = ast.parse(source)
    imported = dict(_imports(tree))
    constants = dict(_constants(tree))
    yield from imported.values()
    roots = {alias: name.target for alias, name in imported.items()}
    yield from _chains(tree, roots, constants)
    yield from _inherited(tree, roots)
    yield from _annotated(tree, roots)


def resolve(name: Name) -> Any:
    """What a name leads to.

    Raises:
        LookupError: MiniStack has no such name.
    """
    value: Any = importlib.import_module(PACKAGE)
    path = PACKAGE
    for step in (*name.target.split(".")[1:], *name.steps):
        path = f"{path}.{step}"
        value = _step(value, step, path)
    return value


def _step(value: Any, step: str, path: str) -> Any:
    if hasattr(value, step):
        return getattr(value, step)
    if inspect.ismodule(value):
        try:
            return importlib.import_module(path)
        except ModuleNotFoundError:
            pass
    if isinstance(value, Mapping) and step in value:
        return value[step]
    if inspect.isclass(value) and step in _instance_attributes(value):
        return None
    raise LookupError(f"MiniStack has no {path}")


def _instance_attributes(kind: type) -> set[str]:
    """What a class annotates, and what its own `__init__` sets."""
    attributes = set(getattr(kind, "__annotations__", ()))
    if "__init__" in vars(kind) and not attributes:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
        attributes |= {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        }
    return attributes


def _imports(tree: ast.AST) -> Iterator[tuple[str, Name]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name.partition(".")[0] == PACKAGE:
                    target = name.name if name.asname else PACKAGE
                    yield name.asname or PACKAGE, Name(node.lineno, target)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            for name in node.names:
                yield name.asname or name.name, Name(node.lineno, f"{node.module}.{name.name}")
        elif isinstance(node, ast.Call) and _root(node.func) in DYNAMIC:
            raise ValueError(f"line {node.lineno}: a name that is not in the source")


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Texts of the module that have a name."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, str(node.value.value)


def _chains(
    tree: ast.AST, roots: Mapping[str, str], constants: Mapping[str, str]
) -> Iterator[Name]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute | ast.Subscript):
            continue
        is_new_key = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
        steps = None if is_new_key else _steps(node, constants)
        if steps and (root := _root(node)) in roots:
            yield Name(node.lineno, roots[root], steps)


def _steps(node: ast.expr, constants: Mapping[str, str]) -> tuple[str, ...] | None:
    """Attributes and keys from the root to `node`; None where a key is not a constant."""
    match node:
        case ast.Name():
            return ()
        case ast.Attribute(value=before, attr=step):
            pass
        case ast.Subscript(value=before, slice=ast.Constant(value=str() as step)):
            pass
        case ast.Subscript(value=before, slice=ast.Name(id=name)) if name in constants:
            step = constants[name]
        case _:
            return None
    steps = _steps(before, constants)
    return None if steps is None else (*steps, step)


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _inherited(tree: ast.AST, roots: Mapping[str, str]) -> Iterator[Name]:
    """What a class uses of MiniStack's class that it extends."""
    for kind in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        bases = [_root(base) for base in kind.bases if _root(base) in roots]
        own = {node.name for node in kind.body if isinstance(node, ast.FunctionDef)}
        for base in bases:
            yield from (
                Name(line, roots[base], (attribute,))
                for attribute, line in _attributes_of("self", kind)
                if attribute not in own
            )


def _annotated(tree: ast.AST, roots: Mapping[str, str]) -> Iterator[Name]:
    """What is used of variables that are annotated with, or caught as, its classes.

    Of several classes the one that has the attribute counts.
    """
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for variable, annotation in _variables(function):
            kinds = [
                Name(node.lineno, roots[_root(node)], _steps(node, {}) or ())
                for node in ast.walk(annotation)
                if isinstance(node, ast.Attribute) and _root(node) in roots
            ]
            for attribute, line in _attributes_of(variable, function) if kinds else ():
                names = [Name(line, kind.target, (*kind.steps, attribute)) for kind in kinds]
                yield next(filter(_is_there, names), names[0])


def _variables(function: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """Variables of a function, with their annotations."""
    for node in ast.walk(function):
        match node:
            case ast.AnnAssign(target=ast.Name(id=variable), annotation=kind):
                yield variable, kind
            case ast.arg(arg=variable, annotation=ast.expr() as kind):
                yield variable, kind
            case ast.ExceptHandler(name=str() as variable, type=ast.expr() as kind):
                yield variable, kind


def _is_there(name: Name) -> bool:
    try:
        resolve(name)
    except LookupError:
        return False
    return True


def _attributes_of(variable: str, tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == variable:
                yield attribute, node.lineno
