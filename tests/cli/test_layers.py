"""Business rule: the command uses services, never what Lambda calls."""

import ast
from pathlib import Path

import pytest

from loupe_cli.commands import IN_ORDER_OF_HELP
from tests.template.reading import ROOT

SOURCES = sorted((ROOT / "cli" / "loupe_cli").rglob("*.py"))
COMMANDS = ROOT / "cli" / "loupe_cli" / "commands"


def imported(path: Path) -> set[str]:
    """The modules that a source imports."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
    return modules


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_handler_is_imported(path: Path) -> None:
    assert not [module for module in imported(path) if module.startswith("loupe.handlers")]


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path.parent != COMMANDS], ids=lambda path: path.name
)
def test_what_is_no_command_does_not_know_the_commands(path: Path) -> None:
    if path.name != "main.py":
        assert not [m for m in imported(path) if m.startswith("loupe_cli.commands")]


def test_every_module_of_commands_is_part_of_the_command() -> None:
    modules = {path.stem for path in COMMANDS.glob("*.py")} - {"__init__"}

    assert modules == {module.__name__.rpartition(".")[2] for module in IN_ORDER_OF_HELP}
