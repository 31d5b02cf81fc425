"""Business rule: an event is an image, nothing to do, or refused; never a crash, never a loss."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loupe.domain.keys import ImageRef
from loupe.domain.object_events import changed_object
from loupe.errors import InvalidRequest


def body(key: str = "k", **found: Any) -> str:
    detail = {"bucket": {"name": "b"}, "object": {"key": key, "size": 5, "etag": "e"} | found}
    return json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": detail})


@pytest.mark.parametrize("key", ["a b.png", "a+b.png", "a%20b.png", "日本 (1).png"])
def test_the_key_is_taken_undecoded(key: str) -> None:
    found = changed_object(body(key, **{"version-id": "v"}))

    assert found == ImageRef("b", key, "v", "e", 5)


def test_an_unversioned_object_has_no_version() -> None:
    assert changed_object(body()) == ImageRef("b", "k", "", "e", 5)


def test_a_deleted_object_needs_neither_size_nor_etag() -> None:
    text = json.dumps(
        {
            "source": "aws.s3",
            "detail-type": "Object Deleted",
            "detail": {"bucket": {"name": "b"}, "object": {"key": "k"}, "reason": "DeleteObject"},
        }
    )

    assert changed_object(text) == ImageRef("b", "k", "", "", 0)


@pytest.mark.parametrize(
    "text",
    [
        '{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}',
        "{}",
        '{"Records": []}',
        '{"source": "aws.ssm", "detail": {"name": "/loupe/Labels"}}',
        '{"source": "aws.s3"}',
        body("images_for_detection/folder/", size=0),
    ],
)
def test_events_that_need_no_work_are_passed_over(text: str) -> None:
    assert changed_object(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "null",
        "5",
        '{"source": "aws.s3", "detail": null}',
        '{"source": "aws.s3", "detail": {}}',
        '{"source": "aws.s3", "detail": {"object": {"key": "k"}}}',
        '{"source": "aws.s3", "detail": {"bucket": {"name": "b"}, "object": {}}}',
        '{"source": "aws.s3", "detail": {"bucket": {"name": "b"}, "object": {"key": 5}}}',
        '{"source": "aws.s3", "detail": {"bucket": {"name": "b"}, "object": []}}',
    ],
)
def test_what_is_no_event_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(InvalidRequest, match="no S3 event"):
        changed_object(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["source", "detail", "object", "bucket", "key", "name", "size"]),
            inner | st.just("aws.s3"),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_message_ends_in_another_error(message: Any) -> None:
    try:
        found = changed_object(json.dumps(message))
    except InvalidRequest:
        return
    assert found is None or isinstance(found, ImageRef)
