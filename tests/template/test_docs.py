"""Docs as tests: what is not documented fails, and so does what is documented and is not there."""

import ast
import importlib.util
import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from jsonschema import Draft202012Validator, validate

from loupe.domain.detection import DetectionState
from loupe.domain.events import TEXTS, make_event
from loupe.domain.review import ReviewPurpose, ReviewState
from loupe.domain.settings import CATALOGUE, setting
from loupe.domain.versions import VersionStatus
from loupe.errors import InvalidSetting
from loupe.services.events import PUBLISHED
from loupe_cli.main import app
from tests.template.reading import ROOT, template
from tools.event_page import SCHEMAS, SECTIONS, schema
from tools.event_page import page as event_page
from tools.settings_page import TAKES_EFFECT
from tools.settings_page import page as settings_page

DOCS = ROOT / "docs"
SERVICES = ROOT / "functions" / "loupe" / "services"
README = ROOT / "README.md"
RELEASED_EVENTS = json.loads((ROOT / "tests/upgrade/released/0.1.0/events.json").read_text())
every_type = pytest.mark.parametrize("kind", sorted(TEXTS))


def page(name: str) -> str:
    """A page of the docs."""
    return (DOCS / f"{name}.md").read_text()


def section(text: str, title: str) -> str:
    """What stands below a heading, up to the next one of its level or above."""
    (found,) = re.finditer(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def table(text: str) -> list[list[str]]:
    """The rows of the tables in `text`, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    heads = {n for n, row in enumerate(rows[1:]) if set("".join(row)) <= set("-| ")}
    return [row for n, row in enumerate(rows) if n not in heads and n - 1 not in heads]


def names(text: str) -> list[str]:
    """The code in the first column of the tables in `text`."""
    return [name for row in table(text) for name in re.findall(r"`([^`]+)`", row[0])]


# Settings


def test_the_table_of_settings_is_made_from_the_catalogue() -> None:
    assert settings_page(page("parameters")) == page("parameters")
    assert list(TAKES_EFFECT) == names(page("parameters")) == [each.name for each in CATALOGUE]


def test_the_refusal_of_a_bad_value_is_documented_as_it_is() -> None:
    with pytest.raises(InvalidSetting) as refusal:
        setting("Minimum-F1-Score").check("80")

    assert f"Error: {refusal.value}" in page("parameters")


def test_the_readme_lists_the_templates_own_parameters() -> None:
    internal = {"Endpoint"}

    assert set(names(section(README.read_text(), "Deploy it to AWS"))) == (
        set(template()["Parameters"]) - internal
    )


@pytest.mark.parametrize("path", [README, *sorted(DOCS.glob("*.md"))], ids=lambda path: path.name)
def test_examples_set_settings_that_exist_to_values_that_are_allowed(path: Path) -> None:
    examples = re.findall(
        r"^(?:\.venv/bin/)?loupe settings set (\S+) (\".*?\"|\S+)", text(path), re.M
    )

    for name, value in examples:
        setting(name).check(value.strip('"'))


def text(path: Path) -> str:
    """A file's text."""
    return path.read_text()


def shown(path: Path) -> str:
    """The text of a page, with its commands as `loupe ...` at the beginning of a line."""
    return re.sub(r"^(\$ )?\.venv/bin/loupe", "loupe", text(path), flags=re.MULTILINE)


# Events


@cache
def sent() -> dict[str, set[str]]:
    """`{event type: fields of its detail}`, as services send it."""
    found: dict[str, set[str]] = {}
    for path in SERVICES.rglob("*.py"):
        tree = ast.parse(path.read_text())
        calls = list(event_calls(tree))
        literal = {name.value for call in calls if isinstance(name := call.args[0], ast.Constant)}
        others = {t for t in texts(tree) if t in TEXTS} - literal
        for call in calls:
            name = call.args[0]
            kinds = {str(name.value)} if isinstance(name, ast.Constant) else others
            for kind in kinds:
                found[kind] = {str(k.arg) for k in call.keywords} - {"about"}
    return found


def event_calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Where a module makes an event."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "make_event":
            yield node


def texts(tree: ast.AST) -> Iterator[str]:
    """Every literal text of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def example(kind: str) -> dict[str, Any]:
    """The example of an event type in its schema."""
    (found,) = schema(kind)["examples"]
    assert isinstance(found, dict)
    return found


def test_every_event_type_has_a_schema_and_a_place_on_the_page() -> None:
    assert sorted(path.stem for path in SCHEMAS.glob("*.json")) == sorted(TEXTS)
    assert sorted(kind for kinds in SECTIONS.values() for kind in kinds) == sorted(TEXTS)


def test_the_page_of_events_is_made_from_the_schemas() -> None:
    assert event_page(page("events")) == page("events")


@every_type
def test_a_schema_is_valid_and_so_is_its_example(kind: str) -> None:
    Draft202012Validator.check_schema(schema(kind))

    validate(example(kind), schema(kind))


@every_type
def test_an_example_of_an_event_is_what_the_event_is(kind: str) -> None:
    found = example(kind)

    made = make_event(kind, "an example", datetime.fromisoformat(found["at"]), **found["detail"])
    assert {name: found[name] for name in PUBLISHED} == {
        name: getattr(made, name) for name in PUBLISHED
    }


@every_type
def test_a_schema_has_the_fields_that_are_sent(kind: str) -> None:
    assert set(schema(kind)["properties"]["detail"]["properties"]) == sent()[kind]


@every_type
def test_a_schema_requires_only_what_the_last_release_sent_as_well(kind: str) -> None:
    required = set(schema(kind)["properties"]["detail"]["required"])

    assert required == set(RELEASED_EVENTS.get(kind, sent()[kind]))


def test_the_filters_of_subscribers_know_every_event_type() -> None:
    for name in ("NotificationTypes", "SubscriberQueueTypes", "WebhookTypes"):
        pattern = template()["Parameters"][name]["AllowedPattern"]
        assert set(re.findall(r"[A-Z]\w+", pattern)) == set(TEXTS)
        assert re.fullmatch(pattern, "all")
        assert re.fullmatch(pattern, "ImageAccepted,TrainingFailed")
        assert not re.fullmatch(pattern, "ImageAccepted,Nonsense")
        assert not re.fullmatch(pattern, "")


def test_by_default_people_get_mail_only_when_a_person_is_needed() -> None:
    default = template()["Parameters"]["NotificationTypes"]["Default"].split(",")
    documented = names(section(page("events"), "Events that need a person"))

    assert default == documented
    assert not {"ImageAccepted", "ImageAnswered", "ImageSentToReview"} & set(default)


def test_every_event_type_is_sent() -> None:
    assert set(sent()) == set(TEXTS)


# States


def test_every_state_of_an_image_is_documented_and_no_other() -> None:
    documented = names(section(page("how-it-works"), "States of an image"))

    assert documented == list(DetectionState)
    assert all(f"`{state}`" in page("commands") for state in DetectionState)


def test_every_state_of_a_version_is_documented_and_no_other() -> None:
    documented = names(section(page("how-it-works"), "States of a version"))

    assert sorted(documented) == sorted(VersionStatus)


def test_every_state_and_purpose_of_a_review_is_documented_and_no_other() -> None:
    found = page("how-it-works")
    documented = names(section(found, "States of a review")) + names(section(found, "Purposes"))

    assert sorted(documented) == sorted([*ReviewState, *ReviewPurpose])


# Commands


def commands(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(name, command) of every command that does something, `settings set` and such included."""
    inner = getattr(command, "commands", {})
    for name, found in inner.items():
        yield from commands(found, f"{path} {name}".strip())
    if path and (not inner or command.invoke_without_command):
        yield path, command


def documented_commands() -> dict[str, str]:
    """`{name: how it is written}` of the first table of the commands' page."""
    written = [w for w in names(page("commands")) if w.startswith("loupe ")]
    return {re.match(r"loupe((?: [a-z]+)+)", w)[1].strip(): w for w in written}  # type: ignore[index]


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_every_command_is_documented_and_no_other() -> None:
    assert sorted(documented_commands()) == sorted(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_documented_options_of_a_command_exist(name: str) -> None:
    written = set(re.findall(r"--[a-z-]+", documented_commands()[name]))
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}

    assert written <= options


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_options_of_a_command_are_documented(name: str) -> None:
    said_of_all = {"--json", "--help"}
    options = {o for p in COMMANDS[name].params for o in p.opts if o.startswith("--")}

    assert options - said_of_all <= set(re.findall(r"--[a-z-]+", documented_commands()[name]))


@pytest.mark.parametrize("path", [README, *sorted(DOCS.glob("*.md"))], ids=lambda path: path.name)
def test_commands_in_examples_exist(path: Path) -> None:
    examples = re.findall(
        r"^(?:\$ )?(?:\.venv/bin/)?loupe ((?:[a-z]+ ?)+)", text(path), re.MULTILINE
    )

    for words in examples:
        assert any(words.startswith(name) for name in COMMANDS), words


# Dependencies


def requirements(path: str) -> set[str]:
    """Names of the packages that a file of requirements names."""
    lines = (ROOT / path).read_text().splitlines()
    found = [
        re.match(r"[A-Za-z][\w.-]*", line) for line in lines if not line.startswith(("#", "-"))
    ]
    return {name[0].lower() for name in found if name}


@pytest.mark.parametrize(
    ("title", "path"),
    [("Deployed", "functions/requirements.txt"), ("Tools", "requirements.in")],
)
def test_every_direct_dependency_is_documented_and_no_other(title: str, path: str) -> None:
    documented = names(section(page("dependencies"), title))

    assert sorted(documented) == sorted(requirements(path))


def test_every_dependency_of_the_page_is_documented_and_no_other() -> None:
    package = json.loads((ROOT / "console" / "package.json").read_text())
    first_cells = re.findall(
        r"^\| (`.*?) \|", section(page("dependencies"), "Console"), re.MULTILINE
    )

    documented = [name for cell in first_cells for name in re.findall(r"`(.+?)`", cell)]
    assert sorted(documented) == sorted({**package["dependencies"], **package["devDependencies"]})


# Pages


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text(path))

    for target, heading in links:
        found = (path.parent / target).resolve() if target else path
        assert found.exists(), target
        if heading:
            assert heading in anchors(text(found)), f"{target}#{heading}"


def anchors(markdown: str) -> set[str]:
    """Headings as links name them."""
    titles = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


PLACES = (
    *("functions", "statemachine", "events", "console", "local", "cli", "tools", "tests"),
    *("benchmarks", "docs", "stacks"),
)
PAGES = [README, *sorted(ROOT.glob("CONTRIBUTING.md")), *sorted(DOCS.glob("*.md"))]
every_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)


def paths(markdown: str) -> set[str]:
    """Paths of this repository that a page names, without those that hold a placeholder."""
    beginning = "|".join(PLACES)
    return {
        path.rstrip("./")
        for path in re.findall(rf"(?<![\w/.-])(?:{beginning})/[\w./*{{}}<>-]*", markdown)
        if not set("*{}<>") & set(path)
    }


@every_page
def test_every_path_that_a_page_names_exists(path: Path) -> None:
    assert [each for each in sorted(paths(text(path))) if not (ROOT / each).exists()] == []


@every_page
def test_every_make_target_that_a_page_names_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text(path), re.MULTILINE))
    assert named <= targets


@every_page
def test_every_module_that_a_page_runs_exists(path: Path) -> None:
    for module in re.findall(r"python -m ([\w.]+)", text(path)):
        assert importlib.util.find_spec(module), module


def test_every_page_is_in_the_readme() -> None:
    listed = re.findall(r"\(docs/([\w-]+\.md)\)", README.read_text())

    assert {path.name for path in DOCS.glob("*.md")} <= set(listed)
