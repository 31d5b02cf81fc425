"""Business rule: a manifest says exactly what a version is trained on, and can be compared."""

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loupe.domain.manifest import (
    MAXIMUM_UPDATE_BYTES,
    Difference,
    ManifestEntry,
    batches,
    difference,
    parse,
    render,
)

CAT = ManifestEntry(
    "s3://b/a b+ü.png", "große Katze", "a" * 64, "cold start", "2026-01-01T00:00:00.000Z"
)
DOG = ManifestEntry("s3://b/dog.png", "dog", "b" * 64, "uploaded", "2026-01-02T00:00:00.000Z")

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
ENTRIES = st.lists(
    st.builds(
        ManifestEntry,
        uri=TEXT.map("s3://b/{}".format),
        label=TEXT,
        content=st.text("0123456789abcdef", min_size=4, max_size=8),
        source=st.sampled_from(["uploaded", "reviewed", "cold start"]),
        at=st.just("2026-01-01T00:00:00.000Z"),
    ),
    max_size=8,
    unique_by=lambda entry: entry.uri,
)


def test_a_line_has_the_format_that_rekognition_reads() -> None:
    line = json.loads(CAT.line())

    assert line["source-ref"] == "s3://b/a b+ü.png"
    assert line["label"] == 1
    assert line["label-metadata"] == {
        "confidence": 1,
        "class-name": "große Katze",
        "human-annotated": "yes",
        "creation-date": "2026-01-01T00:00:00.000",
        "type": "groundtruth/image-classification",
        "job-name": f"loupe/cold start/{'a' * 64}",
    }


@given(ENTRIES)
@example([replace(DOG, uri="s3://b/line\u2028separator\x85.png")])
def test_what_is_rendered_is_read_again(entries: list[ManifestEntry]) -> None:
    assert parse(render(entries)) == sorted(entries, key=lambda entry: entry.uri)


def test_a_manifest_is_the_same_in_whatever_order_its_images_come() -> None:
    assert render([CAT, DOG]) == render([DOG, CAT])


def test_new_and_relabelled_images_are_upserts_and_gone_ones_are_drops() -> None:
    relabelled = replace(CAT, label="dog")
    new = replace(DOG, uri="s3://b/new.png")

    found = difference(render([CAT, DOG]), render([relabelled, new]))

    assert found == Difference(upserts=(relabelled.line(), new.line()), drops=1)


@given(ENTRIES)
def test_equal_manifests_differ_in_nothing(entries: list[ManifestEntry]) -> None:
    assert difference(render(entries), render(entries)) == Difference((), 0)


@given(ENTRIES, ENTRIES)
def test_upserts_lead_from_one_manifest_to_the_other_unless_something_is_dropped(
    old: list[ManifestEntry], new: list[ManifestEntry]
) -> None:
    found = difference(render(old), render(new))

    held = {entry.uri: entry.line() for entry in old}
    held |= {json.loads(line)["source-ref"]: line for line in found.upserts}
    assert len(held) - found.drops == len(new)
    assert {entry.uri: entry.line() for entry in new}.items() <= held.items()


@pytest.mark.slow
def test_updates_stay_below_five_megabytes_and_lose_no_line() -> None:
    lines = [replace(DOG, uri=f"s3://b/{n}", label="日" * 50_000).line() for n in range(45)]

    found = list(batches(lines))

    assert len(found) > 1
    assert all(len(batch) <= MAXIMUM_UPDATE_BYTES < 5_000_000 for batch in found)
    assert b"".join(found).decode().split("\n")[:-1] == lines


@given(st.lists(st.text("ab", max_size=6), max_size=20), st.integers(1, 20))
def test_batches_are_packed_in_order(lines: list[str], limit: int) -> None:
    found = list(batches(lines, limit))

    assert b"".join(found) == "".join(line + "\n" for line in lines).encode()
    assert all(len(batch) <= limit or batch.count(b"\n") == 1 for batch in found)


def test_lines_that_fit_together_are_one_update_and_others_are_two() -> None:
    assert list(batches(["a", "b"], limit=4)) == [b"a\nb\n"]
    assert list(batches(["a", "b"], limit=3)) == [b"a\n", b"b\n"]


def test_a_line_above_the_limit_is_an_update_of_its_own() -> None:
    assert list(batches(["long", "b"], limit=2)) == [b"long\n", b"b\n"]


def test_no_lines_make_no_update() -> None:
    assert list(batches([])) == []
