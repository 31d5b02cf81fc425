"""Business rule: a file that cannot come is told why, and stops no other."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto.moto_api._internal.models import moto_api_backend

from loupe.domain.images import MAX_BYTES, MEDIA_TYPES
from tests.adapters.world import World
from tests.console.console import Console, console_of

SURROGATE = "\ud800"


@pytest.fixture(scope="module")
def console(_aws: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One console for all tests here: none of them changes anything."""
    moto_api_backend.reset()
    with console_of(World(), tmp_path_factory.mktemp("page")) as console:
        yield console


BAD_NAMES = {
    "no file name": ("../x.png", "a/../../manifests/v1/x", "/x.png", "a//b.png", "..", "", "a/"),
    "characters": ("a\x00.png", f"{SURROGATE}.png", "a\nb.png", "\x7f.png"),
    "longer": ("é" * 600 + ".png", "x" * 1100),
}


@pytest.mark.parametrize(("words", "name"), [(w, n) for w in BAD_NAMES for n in BAD_NAMES[w]])
@pytest.mark.parametrize("path", ["/api/uploads", "/api/dataset/uploads"])
def test_a_name_that_leads_elsewhere_or_is_none_gets_no_post(
    console: Console, path: str, words: str, name: str
) -> None:
    files = [
        {"name": each, "size": 9, "type": "image/png", "label": "cat"} for each in (name, "b.png")
    ]

    bad, good = console.ok("POST", path, {"files": files})["posts"]

    assert words in bad["error"]
    assert bad["name"] == name
    assert "url" not in bad
    assert good["fields"]["key"].startswith("images_")


@pytest.mark.parametrize(
    "label", ["..", "a/b", "../../manifests", "", "none", SURROGATE, "x" * 101, "a\nb"]
)
def test_a_label_that_leads_elsewhere_gets_no_post(console: Console, label: str) -> None:
    file = {"name": "a.png", "size": 9, "type": "image/png", "label": label}

    (post,) = console.ok("POST", "/api/dataset/uploads", {"files": [file]})["posts"]

    assert post["error"]
    assert "url" not in post


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("size", 0, "empty"),
        ("size", MAX_BYTES + 1, "at most 15 MB"),
        ("size", 2**30, "1024.0 MB"),
        ("type", "text/html", "convert"),
    ],
)
def test_only_images_of_a_size_get_posts(
    console: Console, field: str, value: Any, words: str
) -> None:
    file = {"name": "a.png", "size": 9, "type": "image/png"} | {field: value}

    (post,) = console.ok("POST", "/api/uploads", {"files": [file]})["posts"]

    assert words in post["error"]


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_the_largest_image_gets_a_post_that_takes_no_other_type(
    console: Console, media_type: str
) -> None:
    file = {"name": "a.png", "size": MAX_BYTES, "type": media_type}

    (post,) = console.ok("POST", "/api/uploads", {"files": [file]})["posts"]

    assert post["fields"]["Content-Type"] == media_type


@pytest.mark.parametrize(("surplus", "fits"), [(0, True), (1, False)])
def test_a_key_has_as_many_bytes_as_s3_takes(console: Console, surplus: int, fits: bool) -> None:
    length = 1024 - len("images_for_detection/") - len("é.png".encode()) + surplus
    file = {"name": "x" * length + "é.png", "size": 9, "type": "image/png"}

    (post,) = console.ok("POST", "/api/uploads", {"files": [file]})["posts"]

    assert ("url" in post) == fits
