"""Business rule: commands list the labels that are probably wrong, confirm and correct them."""

import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from loupe.domain.suspects import ListedSuspect
from loupe_cli import main
from loupe_cli.commands import suspects
from loupe_cli.main import app

SUSPECT = ListedSuspect(
    "images_labeled_by_folder/cat/1.png", "cat", "dog", 91.5, "v2", "2026-01-01T00:00:00.000Z"
)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, ...]]]:
    """What the commands ask the services for; one suspect is listed."""
    made: list[tuple[str, ...]] = []
    monkeypatch.setattr(main, "Target", lambda _stack: SimpleNamespace(deps=None))

    def confirmed(identity: str, by: str, _deps: object) -> ListedSuspect:
        made.append((identity, by))
        return SUSPECT

    def corrected(identity: str, label: str, by: str, _deps: object) -> list[str]:
        made.append((identity, label, by))
        return ["v3", "v1"] if label == "dog" else []

    monkeypatch.setattr(suspects, "open_suspects", lambda _deps: [SUSPECT])
    monkeypatch.setattr(suspects, "confirm", confirmed)
    monkeypatch.setattr(suspects, "correct", corrected)
    yield made


def run(*words: str) -> str:
    done = CliRunner().invoke(app, ["suspects", *words])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.usefixtures("calls")
def test_suspects_are_listed_with_what_the_version_says() -> None:
    (listed,) = json.loads(run("--json"))

    assert (listed["id"], listed["image"]) == (SUSPECT.id, "cat/1.png")
    assert (listed["label"], listed["instead"], listed["version"]) == ("cat", "dog", "v2")


def test_a_label_is_confirmed(calls: list[tuple[str, ...]]) -> None:
    said = run("confirm", SUSPECT.id, "--by", "ann")

    assert calls == [(SUSPECT.id, "ann")]
    assert "cat/1.png stays cat" in said


def test_a_correction_names_the_versions_that_were_trained_on_the_wrong_label(
    calls: list[tuple[str, ...]],
) -> None:
    said = run("correct", SUSPECT.id, "dog", "--by", "ann")

    assert calls == [(SUSPECT.id, "dog", "ann")]
    assert "Trained on the wrong label: v3, v1." in said
    assert "None of the newest 20 versions" in run("correct", SUSPECT.id, "emu", "--by", "ann")
