"""The page of failures names all alarms, and events, settings and commands that there are."""

import re

import pytest
import typer
from click import Group

from loupe.domain.events import TEXTS
from loupe.domain.settings import setting
from loupe_cli.main import app
from tests.template.reading import everything, template
from tests.template.test_docs import page, table

ALARMS = {name for name, made in everything().items() if made["Type"] == "AWS::CloudWatch::Alarm"}
ROWS = [row for row in table(page("failures")) if len(row) == 4]
CODE = re.compile(r"`([^`]+)`")


def code(column: int) -> list[str]:
    """What stands in a column as code."""
    return [found for row in ROWS for found in CODE.findall(row[column])]


def test_every_failure_says_what_happens_what_is_seen_and_what_to_do() -> None:
    assert len(ROWS) > 30
    assert all(all(row) for row in ROWS)


def test_every_alarm_is_seen_at_some_failure() -> None:
    assert {name for name in code(2) if name.endswith("Alarm")} == ALARMS


def test_events_that_are_seen_exist() -> None:
    named = {name for name in code(2) if re.fullmatch(r"([A-Z][a-z]+){2,}", name)}

    assert named - ALARMS - set(template()["Parameters"]) <= set(TEXTS)


@pytest.mark.parametrize("line", sorted(set(code(3))))
def test_what_to_do_is_a_command_that_exists(line: str) -> None:
    program, *words = line.split()
    assert program == "loupe"
    command = typer.main.get_command(app)
    while isinstance(command, Group):
        command = command.commands[words.pop(0)]
    if command.name == "set":
        setting(words[0]).check(words[1])
