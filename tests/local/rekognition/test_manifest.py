"""Manifests, and what the service refuses to train on."""

import json

import pytest

from loupe_local.rekognition import checks
from loupe_local.rekognition.manifest import BadLineError, Entry, parse, read_line
from tests.local.stack_help import line

BOXES = {
    "source-ref": "s3://b/k",
    "bb": {
        "image_size": [{"width": 640, "height": 480, "depth": 3}],
        "annotations": [
            {"class_id": 0, "top": 1, "left": 1, "width": 10, "height": 10},
            {"class_id": 1, "top": 1, "left": 1, "width": 20, "height": 10},
            {"class_id": 0, "top": 1, "left": 1, "width": 1, "height": 1},
        ],
    },
    "bb-metadata": {
        "objects": [{"confidence": 1}],
        "class-map": {"0": "cat", "1": "dog"},
        "type": "groundtruth/object-detection",
        "human-annotated": "yes",
        "creation-date": "2026-01-01T00:00:00.000",
    },
}


def sides(train: dict[str, int], test: dict[str, int]) -> tuple[checks.Material, checks.Material]:
    """Material with so many images of each label."""

    def text(side: str, counts: dict[str, int]) -> str:
        return "\n".join(
            line(f"s3://b/{side}/{label}/{n}", label)
            for label, count in counts.items()
            for n in range(count)
        )

    return checks.read(text("train", train), "training"), checks.read(text("test", test), "test")


def test_the_largest_box_stands_for_the_image() -> None:
    """Given boxes of two labels, then the label of the largest comes first, and boxes count."""
    entry = read_line(json.dumps(BOXES))
    assert entry.labels == ("dog", "cat")
    assert entry.boxes == {"cat": 2, "dog": 1}


def test_several_labels_keep_their_order() -> None:
    """Given an image with two labels, then both are there in the order of the line."""
    fields = json.loads(line("s3://b/k", "first"))
    fields |= {"y": 0, "y-metadata": fields["x-metadata"] | {"class-name": "second"}}
    assert read_line(json.dumps(fields)).labels == ("first", "second")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"source-ref": 1}',
        '{"source-ref": "http://a/b"}',
        '{"source-ref": "s3://bucket"}',
        line("s3://b/k", ""),
        "x" * 100_001,
    ],
)
def test_a_line_that_is_none_says_so(text: str) -> None:
    """Given a broken line, then it is refused."""
    with pytest.raises(BadLineError):
        read_line(text)


@pytest.mark.parametrize("key", ["a b", "é", "a?b#c", "a%20b", "a+b", "x/ /y"])
def test_keys_are_taken_as_they_are(key: str) -> None:
    """Given an unusual key, then the location has exactly that key."""
    assert read_line(line(f"s3://bucket/{key}", "x")).location.key == key


def test_a_line_separator_in_a_label_does_not_end_the_line() -> None:
    """Given a label with U+2028, then the manifest has one line."""
    written = line("s3://b/k", "a\u2028b")
    text = written.replace("\\u2028", "\u2028") + "\r\n\n"
    [entry] = parse(text)
    assert isinstance(entry, Entry)
    assert entry.labels == ("a\u2028b",)


def test_enough_of_everything_may_be_trained() -> None:
    """Given two labels on both sides, then nothing is refused."""
    checks.check(*sides({"a": 1, "b": 1}, {"a": 1}))


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ({"a": 5}, {"a": 5}, "1 labels"),
        ({"a": 1, "b": 1, "c": 1}, {"a": 1}, "Less than 50%"),
        ({str(n): 1 for n in range(251)}, {"1": 1}, "251 labels"),
    ],
)
def test_too_little_is_refused(train: dict[str, int], test: dict[str, int], message: str) -> None:
    """Given labels outside the service's limits, then the training fails and says why."""
    with pytest.raises(checks.UntrainableError, match=message):
        checks.check(*sides(train, test))


def test_an_image_on_both_sides_is_refused() -> None:
    """Given an image in both datasets, then the training fails."""
    train, _ = sides({"a": 1, "b": 1}, {"a": 1})
    with pytest.raises(checks.UntrainableError, match="in both datasets"):
        checks.check(train, train)


def test_images_of_two_buckets_are_refused() -> None:
    """Given images in two buckets, then the training fails."""
    train, test = sides({"a": 1, "b": 1}, {"a": 1})
    other = checks.read(line("s3://other/k", "b"), "test")
    both = checks.Material(test.entries + other.entries, ())
    with pytest.raises(checks.UntrainableError, match="more than one bucket"):
        checks.check(train, both)


@pytest.mark.parametrize(("broken", "fails"), [(1, False), (2, True)])
def test_a_fifth_of_the_lines_may_be_broken(broken: int, fails: bool) -> None:
    """Given five lines, then one may be broken, two may not."""
    good = [line(f"s3://b/{n}", "a") for n in range(5 - broken)]
    text = "\n".join(good + ["broken"] * broken)
    if fails:
        with pytest.raises(checks.UntrainableError, match="too many invalid rows"):
            checks.read(text, "training")
    else:
        assert len(checks.read(text, "training").entries) == 4


def test_a_split_takes_a_fifth_of_each_label_always_the_same() -> None:
    """Given ten images of one label and five of another, then two and one are for testing."""
    train, _ = sides({"a": 10, "b": 5}, {"a": 1})
    first, second = checks.split(train), checks.split(train)
    assert first == second
    counts = {label: sum(e.labels[0] == label for e in first[1].entries) for label in "ab"}
    assert counts == {"a": 2, "b": 1}
    assert len(first[0].entries) == 12
