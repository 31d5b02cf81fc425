"""Business rule: images that look alike stand together, however they are listed."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from loupe.domain.fingerprint import CHROMA_SIDE, SIDE, SIGNATURE_BYTES
from loupe.domain.likeness import ALIKE, Look, alike, distance

HEADER = SIGNATURE_BYTES - SIDE**2 - 2 * CHROMA_SIDE**2


def look(picture: int, noise: int = 0, colour: int = 128) -> Look:
    """A picture of its own number; `noise` makes another one that looks like it."""
    dice, shake = random.Random(picture), random.Random(f"{picture} {noise}")
    blocks = [dice.randrange(60, 200) for _ in range(64)]
    gray = bytes(
        blocks[(y // 4) * 8 + x // 4] + shake.randrange(-20, 20)
        for y in range(32)
        for x in range(32)
    )
    return Look(bytes(HEADER) + gray + bytes([colour] * 128), {})


LOOKS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=12, unique=True
).map(lambda drawn: {f"{p}-{n}": look(p, n) for p, n in drawn})


@given(LOOKS)
def test_images_of_one_look_stand_together_and_others_apart(looks: dict[str, Look]) -> None:
    groups = alike(looks)

    assert sorted(each for group in groups for each in group) == sorted(looks)
    assert all(len({each[0] for each in group}) == 1 for group in groups)
    assert len(groups) == len({each[0] for each in looks})
    assert [len(group) for group in groups] == sorted(map(len, groups), reverse=True)


@given(st.lists(st.binary(min_size=64, max_size=64), min_size=2, max_size=8, unique=True))
def test_groups_are_those_of_average_linkage_in_scipy(pictures: list[bytes]) -> None:
    def signature(blocks: bytes) -> bytes:
        gray = bytes(blocks[(y // 4) * 8 + x // 4] // 8 for y in range(32) for x in range(32))
        return bytes(HEADER) + gray + bytes([128] * 128)

    looks = {f"{n}": Look(signature(blocks), {}) for n, blocks in enumerate(pictures)}
    between = np.array([[distance(a, b) for b in looks.values()] for a in looks.values()])
    np.fill_diagonal(between, 0)
    tree = linkage(squareform(between, checks=False), "average")
    if np.isclose(tree[:, 2], ALIKE, atol=1e-6).any() or len(set(tree[:, 2])) < len(tree):
        return  # A tie may be broken in another way.

    expected: dict[int, set[str]] = {}
    for identity, number in zip(looks, fcluster(tree, ALIKE, "distance"), strict=True):
        expected.setdefault(number, set()).add(identity)

    assert {frozenset(group) for group in alike(looks)} == set(map(frozenset, expected.values()))


@given(st.integers(0, 5), st.integers(0, 5))
def test_distances_are_symmetric_and_between_0_and_1(one: int, other: int) -> None:
    first, second = look(one), look(other, 1)

    assert distance(first, second) == pytest.approx(distance(second, first))
    assert 0 <= distance(first, second) <= 1
    assert distance(first, first) == pytest.approx(0)


def test_the_same_shape_in_another_colour_is_another_look() -> None:
    red, blue = look(1, colour=200), look(1, colour=60)

    assert distance(red, blue) > ALIKE
    assert len(alike({"red": red, "blue": blue})) == 2


def test_images_without_a_picture_are_grouped_by_what_the_model_said() -> None:
    looks = {
        "a": Look(b"", {"cat": 60.0, "dog": 30.0}),
        "b": Look(b"", {"emu": 50.0, "dog": 20.0}),
        "c": Look(b"", {"cat": 58.0, "dog": 33.0}),
        "d": Look(b"", {}),
    }

    assert alike(looks) == [["a", "c"], ["b"], ["d"]]


def test_the_confidences_count_by_their_shares() -> None:
    assert distance(Look(b"", {"a": 80.0, "b": 20.0}), Look(b"", {"a": 8.0, "b": 2.0})) == 0.0
    assert distance(Look(b"", {"a": 80.0}), Look(b"", {"b": 80.0})) == 1.0
