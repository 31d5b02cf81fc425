"""Business rule: only images are uploaded, and what is left out is said."""

from pathlib import Path

import pytest

from loupe.errors import InvalidRequest
from loupe_cli.uploads import NO_IMAGE, image_files, labelled_files, show_left_out

PNG = b"\x89PNG\r\n\x1a\n..."
JPEG = b"\xff\xd8\xff\xe0..."


def folder(place: Path, files: dict[str, bytes]) -> Path:
    for name, body in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return place


def test_images_are_told_by_their_content_and_not_by_their_name(tmp_path: Path) -> None:
    choice = image_files(
        folder(
            tmp_path,
            {"a.png": PNG, "b.data": JPEG, "c.png": b"text", "d.txt": b"", ".hidden.png": PNG},
        )
    )

    assert [upload.path.name for upload in choice.uploads] == ["a.png", "b.data"]
    assert [file.name for file in choice.left_out[NO_IMAGE]] == ["c.png", "d.txt"]


def test_files_outside_of_a_labels_folder_are_left_out(tmp_path: Path) -> None:
    choice = labelled_files(
        folder(
            tmp_path,
            {
                "cat/1.png": PNG,
                "cat/2026/may.jpg": JPEG,
                "cat/notes.txt": b"text",
                "README.md": b"text",
                "loose.png": PNG,
            },
        )
    )

    assert [upload.key for upload in choice.uploads] == [
        "images_labeled_by_folder/cat/1.png",
        "images_labeled_by_folder/cat/2026/may.jpg",
    ]
    assert sorted(file.name for file in choice.left_out[NO_IMAGE]) == ["README.md", "notes.txt"]
    assert [file.name for file in choice.left_out["in no label's folder"]] == ["loose.png"]


def test_what_is_left_out_is_counted_and_named_up_to_a_few(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {f"{n}.txt": b"text" for n in range(5)}

    show_left_out(image_files(folder(tmp_path, {"a.png": PNG, **texts})))

    said = capsys.readouterr().err
    assert "no PNG or JPEG by their content: 5 (0.txt, 1.txt, 2.txt and 2 more)" in said
    assert "label" not in said


@pytest.mark.parametrize("read", [image_files, labelled_files])
def test_a_folder_without_images_is_refused(tmp_path: Path, read: object) -> None:
    with pytest.raises(InvalidRequest, match="has nothing to upload"):
        read(folder(tmp_path, {"notes.txt": b"text"}))  # type: ignore[operator]


def test_a_folder_that_cannot_be_a_label_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest):
        labelled_files(folder(tmp_path, {"cat/1.png": PNG, "none of the above/2.png": PNG}))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="is no folder"):
        image_files(tmp_path / "missing")
