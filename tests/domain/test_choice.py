"""Business rule: people are asked first about what teaches the model most, of many kinds."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loupe.domain.choice import MOST_SHORTLISTED, Candidate, Strategy, margin, order

LOOKS = (b"", bytes(192), bytes([80] * 192), bytes([200] * 192))
SCORES = st.dictionaries(st.sampled_from("abc"), st.floats(0, 100), max_size=3)


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    drawn = draw(st.lists(st.tuples(SCORES, st.sampled_from(LOOKS)), max_size=30))
    return [
        Candidate(f"id {n}", f"{n:04}", scores, thumbnail=looks)
        for n, (scores, looks) in enumerate(drawn)
    ]


def kind(image: str) -> str:
    return image.partition(" ")[0]


def image(name: str, look: bytes, **scores: float) -> Candidate:
    return Candidate(name, name, scores, thumbnail=look)


@settings(max_examples=60, deadline=None)
@given(candidates(), st.sampled_from(Strategy), st.integers(1, 12))
def test_every_image_is_asked_about_once_in_an_order_of_its_own(
    images: Sequence[Candidate], strategy: Strategy, batch: int
) -> None:
    ordered = order(images, strategy, batch)

    assert sorted(ordered) == sorted(image.id for image in images)
    assert order(list(reversed(images)), strategy, batch) == ordered


@given(SCORES)
def test_the_margin_is_how_far_the_first_label_leads(scores: dict[str, float]) -> None:
    first, second, *_ = [*sorted(scores.values(), reverse=True), 0.0, 0.0]

    assert margin(scores) == first - second >= 0


def test_each_kind_is_asked_about_before_one_is_asked_about_twice() -> None:
    looks = dict(zip(("dark", "gray", "light"), LOOKS[1:], strict=True))
    images = [image(f"{name} {n}", looks[name]) for name in looks for n in range(20)]

    first = order(images, Strategy.MARGIN_DIVERSE, 3)[:3]

    assert {kind(name) for name in first} == looks.keys()


def test_what_the_model_takes_an_image_for_tells_kinds_apart_too() -> None:
    cats = [image(f"cat {n}", b"", cat=40.0, dog=38.0) for n in range(8)]
    owls = [image(f"owl {n}", b"", owl=40.0, emu=37.0) for n in range(2)]

    first = order([*cats, *owls], Strategy.MARGIN_DIVERSE, 2)[:2]

    assert {kind(name) for name in first} == {"cat", "owl"}
    assert {kind(name) for name in order([*cats, *owls], Strategy.MARGIN, 2)[:2]} == {"cat"}


def test_kinds_are_looked_for_among_the_least_sure_only() -> None:
    unsure = [image(f"unsure {n:03}", LOOKS[1], cat=30.0, dog=29.0) for n in range(20)]
    sure = image("sure", LOOKS[3], cat=65.0, dog=1.0)

    assert "sure" not in order([*unsure, sure], Strategy.MARGIN_DIVERSE, 2)[:2]


def test_before_the_first_model_the_whole_shortlist_is_looked_at() -> None:
    same = [image(f"{n:04}", LOOKS[1]) for n in range(MOST_SHORTLISTED - 1)]

    assert "other" in order([*same, image("other", LOOKS[3])], Strategy.MARGIN_DIVERSE, 2)[:2]


@pytest.mark.parametrize("embedding", [None, [0.0, 1.0]])
def test_images_without_a_thumbnail_or_with_another_embedding_do_no_harm(
    embedding: Sequence[float] | None,
) -> None:
    images = [
        Candidate(f"{n}", f"{n}", {"cat": 30.0}, embedding, look)
        for n, look in enumerate(LOOKS * 3)
    ]

    assert len(order(images, Strategy.MARGIN_DIVERSE, 2)) == len(images)
