"""Business rule: many images are uploaded after a question only, and a dry run uploads none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from loupe_cli.commands import images
from loupe_cli.commands.images import MANY
from loupe_cli.main import app
from loupe_cli.uploads import PNG, Upload

Sent = list[Sequence[Upload]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What the command sends."""
    batches: Sent = []

    def send(uploads: Sequence[Upload], *_more: Any) -> Sequence[Upload]:
        batches.append(uploads)
        return uploads

    monkeypatch.setattr(images, "send", send)
    return batches


def folder(place: Path, images: int) -> str:
    for number in range(images):
        (place / f"{number}.png").write_bytes(PNG)
    (place / "notes.txt").write_text("no image")
    return str(place)


def test_a_dry_run_says_what_it_would_upload_and_uploads_nothing(
    tmp_path: Path, sent: Sent
) -> None:
    done = CliRunner().invoke(app, ["upload", "images", folder(tmp_path, 3), "--dry-run"])

    assert done.exit_code == 0
    assert sent == []


@pytest.mark.parametrize(
    ("images", "answer", "options", "uploaded"),
    [
        (MANY, "", [], True),
        (MANY + 1, "n\n", [], False),
        (MANY + 1, "", [], False),
        (MANY + 1, "y\n", [], True),
        (MANY + 1, "", ["--yes"], True),
    ],
)
def test_more_than_a_thousand_images_are_asked_about(
    tmp_path: Path, sent: Sent, images: int, answer: str, options: list[str], uploaded: bool
) -> None:
    command = ["upload", "images", folder(tmp_path, images), *options]

    done = CliRunner().invoke(app, command, input=answer)

    assert [len(batch) for batch in sent] == ([images] if uploaded else [])
    assert (done.exit_code == 0) is uploaded
