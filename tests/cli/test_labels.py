"""Business rule: commands look after labels, and name what could not be done."""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from loupe.domain.keys import ImageRef
from loupe.domain.labelled_images import LabelCount, hashed_key
from loupe.domain.labels import LabelNote, UnlabelledImage
from loupe.domain.settings import Settings
from loupe.services.labels import LabelEntry, Moved
from loupe_cli import main
from loupe_cli.commands import labels
from loupe_cli.main import app

Calls = list[tuple[Any, ...]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    """What the commands ask the services for; a stack whose setting Labels names cat."""
    made: Calls = []
    settings = Settings.from_parameters({"Labels": "cat"})
    deps = SimpleNamespace(parameters=SimpleNamespace(settings=lambda: settings))
    monkeypatch.setattr(main, "Target", lambda _stack: SimpleNamespace(deps=deps))

    def moved(*asked: Any) -> Moved:
        made.append(asked[:3])
        return Moved(3, {"cat/9.png": "It was deleted."} if asked[1] == "half" else {})

    def described(label: str, by: str, _deps: Any, text: Any, references: Any) -> LabelNote:
        made.append((label, by, text, references))
        return LabelNote(label, text or "", tuple(references or ()))

    def made_label(label: str, ids: list[str], by: str, _deps: Any) -> Mapping[str, str]:
        made.append((label, tuple(ids), by))
        return {}

    image = UnlabelledImage(
        ImageRef("b", "images_for_detection/x.png", "v", "e", 1), "2026-01-01T00:00:00.000Z"
    )
    monkeypatch.setattr(labels, "merge", moved)
    monkeypatch.setattr(labels, "rename", moved)
    monkeypatch.setattr(labels, "describe", described)
    monkeypatch.setattr(labels, "make_label", made_label)
    monkeypatch.setattr(labels, "with_those_alike", lambda ids, _deps: (*ids, "like"))
    monkeypatch.setattr(labels, "groups", lambda _deps: [[image]])
    entry = LabelEntry("cat", LabelCount(4, 1), LabelNote("cat", "Whiskers."))
    monkeypatch.setattr(labels, "every_label", lambda _deps: [entry])
    yield made


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["labels", *words])
    return done.exit_code, done.output


@pytest.mark.parametrize("command", ["rename", "merge"])
def test_a_move_says_how_many_and_that_the_setting_still_names_the_label(
    calls: Calls, command: str
) -> None:
    code, said = run(command, "cat", "lynx", "--by", "ann")

    assert code == 0
    assert calls == [("cat", "lynx", "ann")]
    assert "3 images moved from cat to lynx" in said
    assert "The setting Labels still names cat" in said


def test_images_that_could_not_be_moved_are_named_and_fail_the_command(calls: Calls) -> None:
    code, said = run("merge", "cat", "half", "--by", "ann")

    assert code == 1
    assert "cat/9.png: It was deleted." in said


def test_references_are_named_as_the_listing_names_them(calls: Calls) -> None:
    run("describe", "cat", "--text", "Whiskers.", "--reference", "cat/1.png", "--by", "ann")
    run("describe", "cat", "--by", "ann")

    key = hashed_key("images_labeled_by_folder/cat/1.png")
    assert calls == [("cat", "ann", "Whiskers.", [key]), ("cat", "ann", None, None)]


@pytest.mark.parametrize(("options", "ids"), [([], ("one",)), (["--alike"], ("one", "like"))])
def test_a_label_is_made_of_images_or_of_their_groups(
    calls: Calls, options: list[str], ids: tuple[str, ...]
) -> None:
    code, said = run("make", "emu", "one", "--by", "ann", *options)

    assert (code, calls) == (0, [("emu", ids, "ann")])
    assert f"{len(ids)} images are of emu now" in said


def test_labels_and_images_without_one_are_listed(calls: Calls) -> None:
    assert "Whiskers." in run("list")[1]
    assert '"train": 4' in run("list", "--json")[1]
    assert "x.png" in run("none")[1]
    assert '"group": 1' in run("none", "--json")[1]
