"""Business rule: keys are taken as they are, and names derived from them never collide."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loupe.domain.keys import (
    ImageRef,
    check_label,
    is_folder_marker,
    label_of,
    labelled_key,
    named_people,
    people,
    review_output_key,
    timestamp,
)
from loupe.errors import InvalidRequest

HARD = ("a b.png", "a+b.png", "a%20b.png", "a (1).png", "für Änne/日本.png", "quote'\"<b>.png")
NOT_LABELS = ("../x", "..", ".", "none", "", " a", "a ", "a/b", "a\\b", "a,b", "a\nb", "x" * 101)


def image(key: str, version: str = "1", etag: str = "e") -> ImageRef:
    return ImageRef("bucket", key, version, etag, 10)


@pytest.mark.parametrize("name", HARD)
def test_an_image_is_called_by_its_key_below_the_prefix_undecoded(name: str) -> None:
    found = image(f"images_for_detection/{name}")

    assert found.name == name
    assert found.uri == f"s3://bucket/images_for_detection/{name}"


def test_keys_that_decode_to_the_same_text_are_two_images() -> None:
    keys = ["a b.png", "a+b.png", "a%20b.png", "a%2520b.png"]

    assert len({image(key).id for key in keys}) == len(keys)


def test_the_id_is_the_same_for_every_delivery_and_differs_for_every_upload() -> None:
    assert image("k").id == image("k").id
    assert image("k").id != image("k", version="2").id
    assert image("k", version="", etag="1").id != image("k", version="", etag="2").id
    assert re.fullmatch("[0-9a-f]{32}", image("k").id)


@pytest.mark.parametrize("name", HARD)
def test_the_label_is_the_first_folder_whatever_the_file_is_called(name: str) -> None:
    assert label_of(f"images_labeled_by_folder/große Katze/{name}") == "große Katze"


def test_a_nested_file_has_the_label_of_the_outermost_folder() -> None:
    assert label_of("images_labeled_by_folder/cat/2026/may/1.png") == "cat"


@pytest.mark.parametrize("key", ["1.png", "/1.png", "cat/", "../x/1.png", "none/1.png", "./1.png"])
def test_a_key_without_a_usable_label_folder_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequest):
        label_of(f"images_labeled_by_folder/{key}")


@pytest.mark.parametrize("label", NOT_LABELS)
def test_what_cannot_be_a_folder_cannot_be_a_label(label: str) -> None:
    with pytest.raises(InvalidRequest, match="cannot be a label"):
        check_label(label)


def test_the_answer_none_of_the_above_is_never_a_label() -> None:
    with pytest.raises(InvalidRequest, match="cannot be a label"):
        check_label("none of the above")


@pytest.mark.parametrize("label", ["cat", "große Katze", "日本", "100 % (sure)", "a.b", "x" * 100])
def test_other_texts_can_be_labels(label: str) -> None:
    assert check_label(label) == label


def test_only_an_empty_object_that_ends_in_a_slash_stands_for_a_folder() -> None:
    assert is_folder_marker("images_labeled_by_folder/cat/", 0)
    assert not is_folder_marker("images_labeled_by_folder/cat/", 3)
    assert not is_folder_marker("images_labeled_by_folder/cat", 0)


def test_copies_of_images_of_one_name_do_not_share_a_key() -> None:
    one, other = image("images_for_detection/a/1.png"), image("images_for_detection/b/1.png")

    assert labelled_key("cat", one) != labelled_key("cat", other)
    assert labelled_key("cat", one).startswith("images_labeled_by_folder/cat/1.")
    assert labelled_key("cat", one).endswith(".png")


def test_a_label_that_would_leave_its_folder_gets_no_key() -> None:
    with pytest.raises(InvalidRequest):
        labelled_key("../x", image("images_for_detection/1.png"))


@given(st.text(min_size=1), st.sampled_from(["cat", "日" * 100]))
@example("日" * 300 + ".png", "日" * 100)
@example("a." + "x" * 900, "日" * 100)
def test_a_copy_always_has_a_key_that_s3_takes_and_that_states_its_label(
    name: str, label: str
) -> None:
    key = labelled_key(label, image(f"images_for_detection/{name}"))

    assert len(key.encode("utf-8", "surrogatepass")) <= 1024
    assert label_of(key) == label


def test_answers_go_where_amazon_a2i_puts_them() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    key = review_output_key("flow", "loop-1", at)

    assert key == "a2i-human-loop-data/flow/2026/01/02/03/04/05/loop-1/output.json"


@given(st.lists(st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC)), min_size=2, max_size=2))
def test_stamps_sort_as_times_do(times: list[datetime]) -> None:
    first, last = sorted(times)

    assert timestamp(first) <= timestamp(last)


def test_a_stamp_is_utc_with_milliseconds() -> None:
    assert timestamp(datetime(2026, 1, 31, 12, 0, 0, 1999, UTC)) == "2026-01-31T12:00:00.001Z"


@given(st.lists(st.text(min_size=1), max_size=4))
def test_names_survive_an_objects_metadata_which_is_ascii(names: list[str]) -> None:
    written = people(names)

    assert written.isascii()
    assert named_people(written) == tuple(names)
