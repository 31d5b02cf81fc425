"""What is trained on and how it is dealt into folds."""

import numpy as np

from loupe_local.vision.background import backgrounds
from loupe_local.vision.decode import decode
from loupe_local.vision.features import describe
from loupe_local.vision.material import ALWAYS, Material, deal, prepare

from .drawn import BLUE, RED, bolt, encode, logos, ring


def material(images: list[bytes], classes: list[int]) -> Material:
    folds = deal(images, classes)
    return prepare([decode(image) for image in images], classes, folds, describe, seed=0)


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
