"""What is trained on and how it is dealt into folds."""

import numpy as np

from loupe_local.vision.background import backgrounds
from loupe_local.vision.decode import decode
from loupe_local.vision.material import (
    ALWAYS,
    FEW_BACKGROUNDS,
    FEW_COPIES,
    Material,
    Rows,
    deal,
    make_rows,
    prepare,
)
from loupe_local.vision.views import embed

from .drawn import BLUE, RED, bolt, encode, logos, ring


def rows_of(images: list[bytes], classes: list[int]) -> Rows:
    pictures = [decode(image) for image in images]
    return make_rows(pictures, classes, deal(images, classes), seed=0)


def material(images: list[bytes], classes: list[int]) -> Material:
    rows = rows_of(images, classes)
    return prepare(rows, embed(rows.pictures, "features"), np.arange(len(rows.pictures)))


def test_equal_contents_share_a_fold() -> None:
    folds = deal([b"x", b"y", b"x", b"z"], [0, 0, 0, 1])
    assert folds[0] == folds[2]


def test_folds_do_not_depend_on_the_order_of_the_images() -> None:
    contents, classes = [b"a", b"b", b"c", b"d"], [0, 0, 1, 1]
    assert deal(contents[::-1], classes[::-1]) == deal(contents, classes)[::-1]


def test_each_label_is_spread_over_the_folds() -> None:
    folds = deal([bytes([index]) for index in range(10)], [0] * 5 + [1] * 5)
    assert sorted(folds[:5]) == sorted(folds[5:]) == [0, 1, 2, 3, 4]


def test_every_copy_shares_the_fold_of_its_original() -> None:
    examples = logos()[:7]
    rows = material([e.image for e in examples], [int(e.label == "ring") for e in examples])
    copies = np.flatnonzero((rows.source >= 0) & ~rows.original)
    assert copies.size > 50
    assert (rows.folds[copies] == rows.folds[rows.source[copies]]).all()


def test_copies_of_a_label_with_one_image_stand_in_for_it() -> None:
    images = [encode(ring(RED)), encode(bolt(RED)), encode(bolt(BLUE))]
    rows = material(images, [0, 1, 1])
    own = (rows.classes == 0) & ~rows.original
    assert (rows.folds[own] == ALWAYS).all()
    assert rows.folds[0] != ALWAYS


def test_backgrounds_are_as_many_as_asked_for_and_all_differ() -> None:
    pictures = [decode(encode(ring(RED)))]
    made = backgrounds(pictures, 20, np.random.default_rng(0))
    assert len({picture.tobytes() for picture in made}) == 20


def test_the_backbone_gets_all_images_but_few_copies_and_backgrounds() -> None:
    examples = logos()
    rows = rows_of([e.image for e in examples], [int(e.label == "ring") for e in examples])
    few = rows.few()
    source, turn = rows.source[few], rows.turn[few]
    assert (turn[:10] == 0).all() and source[:10].tolist() == list(range(10))
    assert np.bincount(source[source >= 0]).tolist() == [1 + FEW_COPIES] * 10
    assert (source < 0).sum() == FEW_BACKGROUNDS
    for fold in range(5):
        assert ((source < 0) & (rows.folds[few] == fold)).sum() == FEW_BACKGROUNDS // 5
