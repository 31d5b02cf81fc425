"""One word for one thing: what is not in the glossary's words is in no text that people read."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.template.reading import ROOT
from tests.template.test_docs import COMMANDS

GLOSSARY = ROOT / "docs" / "glossary.md"
UNUSED = {
    "round": r"rounds?( of improvement)?",
    "slot": r"slots?",
    "ledger": r"ledgers?",
    "thin": r"thin",
    "example": r"(?<!for )examples?",
    "power": r"power(?! failure)",
    "keep-going": r"keep[s -]*going",
    "retired": r"retired?",
    "refuse": r"refuse (it|the version)|refused version",
    "told": r"told(?! = :)|wanted",
    "mend": r"mend(s|ed)?",
    "lest": r"lest",
}
"""By the first word of a row in the glossary: a pattern of the word."""
FORBIDDEN = re.compile(rf"\b({'|'.join(UNUSED.values())})\b", re.IGNORECASE)
PAGES = [ROOT / "README.md", *ROOT.glob("CONTRIBUTING.md"), *sorted((ROOT / "docs").glob("*.md"))]
SOURCES = [
    path
    for folder in ("functions/loupe", "cli", "local/loupe_local")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


def prose(markdown: str) -> str:
    """A page without its code, its links' addresses, and the list of words not used."""
    page = re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)
    page = re.sub(r"`[^`]*`|\]\([^)]*\)", "", page)
    return re.sub(
        r"## Words that are not used.*?(?=^## )", "", page, flags=re.MULTILINE | re.DOTALL
    )


def shown_by_the_page(source: str) -> str:
    """What a component of the console shows: its text, and its literals of several words."""
    code = re.sub(r"//.*|/\*.*?\*/", "", source, flags=re.DOTALL if "/*" in source else 0)
    code = re.sub(r"\$\{[^}]*\}", "", code)
    literals = re.findall(r'"([^"\n]*)"|`([^`]*)`', code)
    sentences = [text for pair in literals for text in pair if " " in text]
    return "\n".join([*sentences, *re.findall(r">([^<>{}=;]+)<", code)])


def said_by(path: Path) -> Iterator[str]:
    """Literals of several words in a module, without docstrings."""
    tree = ast.parse(path.read_text())
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if " " in text and id(node) not in silent:
                yield text


def help_of(command: Any) -> str:
    """What `--help` says of a command, its options included."""
    options = [getattr(option, "help", "") for option in command.params]
    return "\n".join(text or "" for text in [command.help, *options])


def forbidden(text: str) -> list[str]:
    """Every word that is not used, with what stands around it."""
    return [text[max(0, m.start() - 40) : m.end() + 20] for m in FORBIDDEN.finditer(text)]


def test_the_list_of_words_is_the_glossarys() -> None:
    table = GLOSSARY.read_text().partition("## Words that are not used")[2].partition("## ")[0]
    rows = re.findall(r"^\| (\w[\w-]*)", table, re.MULTILINE)

    assert rows == ["not", *UNUSED]


@pytest.mark.parametrize("text", ["It is told.", "a Round", "a labelled example", "2 slots"])
def test_a_word_that_is_not_used_is_seen(text: str) -> None:
    assert forbidden(text)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_of_the_docs_uses_the_glossarys_words(path: Path) -> None:
    assert forbidden(prose(path.read_text())) == []


def test_the_console_uses_the_glossarys_words() -> None:
    sources = sorted((ROOT / "console" / "src").rglob("*.tsx"))

    texts = {path.name: forbidden(shown_by_the_page(path.read_text())) for path in sources}
    assert {name: words for name, words in texts.items() if words} == {}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_help_of_a_command_uses_the_glossarys_words(name: str) -> None:
    assert forbidden(help_of(COMMANDS[name])) == []


def test_commands_and_errors_use_the_glossarys_words() -> None:
    texts = {path.name: [w for t in said_by(path) for w in forbidden(t)] for path in SOURCES}

    assert {name: words for name, words in texts.items() if words} == {}
