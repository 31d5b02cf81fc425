"""Business rule: people are asked first about the images that teach the model the most."""

from io import BytesIO
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from loupe.domain.choice import SHORTLISTED, Candidate, Strategy, margin, order
from loupe.domain.fingerprint import thumbnail

KINDS = 4


def candidate(
    name: str, arrival: int = 0, embedding: tuple[float, ...] | None = None, **scores: float
) -> Candidate:
    return Candidate(name, f"{arrival:03d}", scores, embedding)


def of_kind(kind: int, number: int) -> Candidate:
    """One of many images that look alike, all of them equally unsure."""
    corner = [10.0 * (kind == axis) + number / 100 for axis in range(KINDS)]
    return candidate(f"{kind}-{number}", number, tuple(corner), cat=50.0, dog=45.0)


ALIKE = [of_kind(kind, number) for kind in range(KINDS) for number in range(6)]

scores = st.dictionaries(st.sampled_from(["cat", "dog", "emu"]), st.floats(0, 100))
candidates = st.lists(
    st.builds(Candidate, st.uuids().map(str), st.dates().map(str), scores),
    max_size=30,
    unique_by=lambda image: image.id,
)


@given(candidates, st.sampled_from(Strategy), st.integers(1, 12))
def test_every_image_is_in_the_order_once(
    images: list[Candidate], strategy: Strategy, batch: int
) -> None:
    assert sorted(order(images, strategy, batch)) == sorted(image.id for image in images)


@given(candidates, st.sampled_from(Strategy), st.randoms())
def test_the_order_does_not_depend_on_that_of_the_input(
    images: list[Candidate], strategy: Strategy, random: Random
) -> None:
    shuffled = images.copy()
    random.shuffle(shuffled)

    assert order(shuffled, strategy, 5) == order(images, strategy, 5)


def test_by_arrival_the_oldest_comes_first() -> None:
    images = [candidate("new", 2, cat=50.0), candidate("old", 1, cat=99.0)]

    assert order(images, Strategy.ARRIVAL, 1) == ["old", "new"]


def test_by_margin_the_least_sure_comes_first_and_of_equals_the_oldest() -> None:
    images = [
        candidate("sure", 1, cat=90.0, dog=5.0),
        candidate("unsure", 2, cat=50.0, dog=45.0),
        candidate("as unsure", 3, cat=30.0, dog=25.0),
    ]

    assert order(images, Strategy.MARGIN, 1) == ["unsure", "as unsure", "sure"]


@pytest.mark.parametrize(
    ("said", "lead"),
    [({}, 0.0), ({"cat": 60.0}, 60.0), ({"cat": 60.0, "dog": 25.0, "emu": 5.0}, 35.0)],
)
def test_the_margin_is_the_lead_of_the_first_label(said: dict[str, float], lead: float) -> None:
    assert margin(said) == lead


def test_a_batch_holds_one_of_each_kind() -> None:
    batch = order(ALIKE, Strategy.MARGIN_DIVERSE, KINDS)[:KINDS]

    assert sorted(name[0] for name in batch) == ["0", "1", "2", "3"]


def test_of_a_kind_the_most_typical_is_taken() -> None:
    batch = order(ALIKE, Strategy.MARGIN_DIVERSE, KINDS)[:KINDS]

    assert {name[-1] for name in batch} <= {"2", "3"}, "neither the first nor the last of six"


def test_kinds_are_told_apart_by_thumbnails_where_there_is_no_embedding() -> None:
    def looks(colour: str, number: int) -> Candidate:
        buffer = BytesIO()
        picture = Image.new("RGB", (96, 96), colour)
        picture.paste("black", (10, 10, 40 + number, 60))
        picture.save(buffer, "PNG")
        looks = thumbnail(buffer.getvalue())
        return Candidate(f"{colour} {number}", f"{number}", {}, thumbnail=looks)

    images = [looks(colour, number) for colour in ("red", "lime", "blue") for number in range(5)]

    batch = order(images, Strategy.MARGIN_DIVERSE, 3)[:3]

    assert sorted(name.split()[0] for name in batch) == ["blue", "lime", "red"]


def test_kinds_are_told_apart_by_scores_where_nothing_else_is_known() -> None:
    images = [candidate(f"cat or dog {n}", n, cat=41.0 - n / 10, dog=40.0) for n in range(5)]
    images += [candidate(f"emu or owl {n}", n, emu=41.0 - n / 10, owl=40.0) for n in range(5)]

    batch = order(images, Strategy.MARGIN_DIVERSE, 2)[:2]

    assert {name[:3] for name in batch} == {"cat", "emu"}


def test_before_the_first_model_the_whole_shortlist_is_looked_at() -> None:
    def looks(name: str, arrival: int, brightness: int) -> Candidate:
        return Candidate(name, f"{arrival:03d}", {}, thumbnail=bytes([brightness] * 192))

    images = [looks(f"{number}", number, 80) for number in range(SHORTLISTED - 1)]
    last = looks("last", SHORTLISTED - 1, 200)

    assert "last" in order([*images, last], Strategy.MARGIN_DIVERSE, 2)[:2]


def test_an_embedding_of_another_length_counts_as_missing() -> None:
    odd = candidate("odd", 0, (1.0, 2.0), cat=50.0, dog=49.0)

    assert sorted(order([*ALIKE, odd], Strategy.MARGIN_DIVERSE, 3)) == sorted(
        image.id for image in [*ALIKE, odd]
    )
