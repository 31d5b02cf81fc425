"""Business rule: an export is plain files, and nothing is written or read outside its folder."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loupe.errors import InvalidRequest
from loupe_cli.archive import Archive, file_name
from loupe_cli.original import _plain, _source_image


@given(st.text(min_size=1, max_size=400))
def test_every_key_has_a_file_of_its_own_inside_the_folder(key: str) -> None:
    name = file_name(key)
    root = Path("/export")

    parts = (root / name).parts
    assert not name.startswith("/")
    assert ".." not in parts
    assert all(len(part.encode()) <= 255 for part in parts)
    assert name == key or name.startswith("odd-names/")


def test_names_that_can_be_read_stay_as_they_are() -> None:
    assert file_name("images_labeled_by_folder/cat/a b+ü.png").endswith("cat/a b+ü.png")
    assert file_name("a/../b.png").startswith("odd-names/")
    assert file_name("a//b.png").endswith(".png")


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "missing.png"])
def test_a_record_cannot_name_a_file_elsewhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("x")
    archive = Archive(tmp_path / "export")
    archive.begin({})

    with pytest.raises(InvalidRequest, match="not whole"):
        archive.load(name)


def test_a_line_that_is_broken_is_named(tmp_path: Path) -> None:
    (tmp_path / "models.jsonl").write_text('{"a": 1}\n{broken\n')

    with pytest.raises(InvalidRequest, match="line 2"):
        list(Archive(tmp_path).lines("models"))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "new")
    archive.begin({"stack": "x"})
    records = [{"name": "a\u2028b\nc"}, {"name": "ü"}]

    assert archive.write_lines("models", records) == 2
    assert list(archive.lines("models")) == records
    assert archive.write_lines("reviews", []) == 0
    assert list(archive.lines("reviews")) == []
    assert archive.check()["stack"] == "x"
    assert archive.load(archive.save("a/../b.png", b"x")) == b"x"
    assert json.loads((tmp_path / "new" / "export.json").read_text())["format"] == 1


@pytest.mark.parametrize(
    ("stored", "taken"),
    [
        ("True", "true"),
        ("TRUE", "true"),
        ("false", "false"),
        ('"0.8"', "0.8"),
        ("0.8", "0.8"),
        ("720", "720"),
        ("abc", "abc"),
    ],
)
def test_the_originals_values_are_written_as_loupe_takes_them(stored: str, taken: str) -> None:
    assert _plain(stored) == taken


@pytest.mark.parametrize(
    ("key", "reviewed", "usable"),
    [
        ("images_labeled_by_folder/cat/1.png", False, True),
        ("images_labeled_by_folder/cat/deep/1.JPG", False, True),
        ("images_labeled_by_folder/cat/humanLoopName-x-1.png", True, True),
        ("images_labeled_by_folder/1.png", False, False),
        ("images_labeled_by_folder/../1.png", False, False),
        ("images_labeled_by_folder/cat/readme.txt", False, False),
    ],
)
def test_what_of_the_originals_bucket_is_taken(key: str, reviewed: bool, usable: bool) -> None:
    found = _source_image(key, lambda: b"")

    assert bool(found.problem) != usable
    assert found.reviewed == reviewed
