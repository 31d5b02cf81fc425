"""Business rule: images that belong together are recognised, whatever they are copied to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loupe.domain.keys import DETECTION_PREFIX, LABELLED_PREFIX, ImageRef, labelled_key
from loupe.domain.series import carried, series_of


def series(name: str, group_by: str, **metadata: str) -> str:
    key = LABELLED_PREFIX + name
    return series_of(key, name.partition("/")[0], metadata, group_by)


@pytest.mark.parametrize(
    ("group_by", "one", "other", "together"),
    [
        ("none", "cat/a/1_1.png", "cat/a/1_2.png", False),
        ("folder", "cat/a/1.png", "cat/a/2.png", True),
        ("folder", "cat/a/b/1.png", "cat/a/b/2.png", True),
        ("folder", "cat/a/1.png", "cat/b/1.png", False),
        ("folder", "cat/a/1.png", "dog/a/1.png", False),
        ("folder", "cat/1_1.png", "cat/1_2.png", False),
        ("prefix", "cat/video1_001.png", "cat/video1_002.jpg", True),
        ("prefix", "cat/part-7-front.png", "cat/part-7-back.png", True),
        ("prefix", "cat/part-7-front.png", "cat/part-8-front.png", False),
        ("prefix", "cat/a/video_1.png", "cat/b/video_2.png", False),
        ("prefix", "cat/video_1.png", "dog/video_2.png", False),
        ("prefix", "cat/1.png", "cat/2.png", False),
    ],
)
def test_what_images_of_a_series_share(group_by: str, one: str, other: str, together: bool) -> None:
    first, second = series(one, group_by), series(other, group_by)

    assert (first != "" and first == second) is together


@given(st.sampled_from(["none", "folder", "prefix"]), st.text(min_size=1))
def test_the_metadata_group_counts_always_and_for_all_labels(group_by: str, group: str) -> None:
    first = series("cat/1.png", group_by, group=group)

    assert first == series("dog/a/b_2.png", group_by, group=group) != ""
    assert first != series("cat/1.png", group_by, group=group + "x")


@given(
    st.sampled_from(["folder", "prefix"]),
    st.lists(st.sampled_from(["a", "b_1", "c.d"]), max_size=2),
    st.sampled_from(["1.png", "video_1.png", "video_x_2.jpeg", "é-1"]),
)
def test_a_reviewed_image_is_in_the_series_of_those_uploaded_beside_it(
    group_by: str, folders: list[str], name: str
) -> None:
    path = "/".join([*folders, name])
    original = ImageRef("b", DETECTION_PREFIX + path, "v", "", 1)

    copy = labelled_key("cat", original)

    assert series_of(copy, "cat", carried(original.key, {}), group_by) == series(
        f"cat/{path}", group_by
    )


def test_a_copy_of_a_copy_keeps_group_and_folder() -> None:
    first = carried(f"{DETECTION_PREFIX}a/1.png", {"group": "g", "loupe-by": "ann"})

    assert carried(f"{LABELLED_PREFIX}cat/1.abc.png", first) == first
    assert set(first) == {"group", "loupe-folder"}
