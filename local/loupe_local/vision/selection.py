"""Chooses how a model sees pictures: by hand-made features, by the backbone, or by both."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from loupe_local.vision.classifier import Kind
from loupe_local.vision.material import Material, Rows, prepare
from loupe_local.vision.training import (
    Choice,
    Reals,
    Trained,
    Unseen,
    choose,
    cross_validate,
    finish,
    held_out,
    recalibrate,
    thresholds,
)
from loupe_local.vision.views import View, embed, join

ENOUGH = 0.1
"""Mean log loss at which the hand-made features leave the backbone nothing to gain: it is not
tried then, which spares the time that it takes."""

Progress = Callable[[float, str], None]
"""Is told the share done, 0..1, and what is being done."""


@dataclass(frozen=True)
class Selection:
    """What was chosen, fitted to everything."""

    view: View
    kind: Kind
    trained: Trained
    thresholds: list[float]
    """The confidence 0..1 that decides each label."""
    held_out: Reals
    """Confidence 0..1 (images, labels) in training images, of scorers that had not seen them."""


def select(rows: Rows, count: int, seed: int, progress: Progress) -> Selection:
    """The way of seeing and the classifier of least log loss on held-out images, trained.

    Both are taken only if better than the backbone alone by two standard errors, and the hand-made
    features stay unless the better of these is better by one. It is one, not two as elsewhere,
    since on photographs they are wrong seldom, but then surely.
    `count` is the number of classes, the background included.
    """
    progress(0.1, "Describing images")
    everything = np.arange(len(rows.pictures))
    features = embed(rows.pictures, "features")
    materials: dict[View, Material] = {"features": prepare(rows, features, everything)}
    unseen: dict[View, Unseen] = {}

    def compare(view: View, begin: float, end: float) -> Choice:
        def step(share: float) -> None:
            progress(begin + (end - begin) * share, "Comparing classifiers")

        unseen[view] = cross_validate(materials[view], count, seed, step)
        return choose(unseen[view], view)

    choice = compare("features", 0.3, 0.5)
    if choice.losses.mean() > ENOUGH:
        progress(0.5, "Describing photographs")
        few = rows.few()
        photographs = embed([rows.pictures[index] for index in few], "backbone")
        materials["backbone"] = prepare(rows, photographs, few)
        materials["both"] = prepare(rows, join(features[few], photographs), few)
        seeing, both = compare("backbone", 0.7, 0.75), compare("both", 0.75, 0.8)
        seeing = both if seeing.beaten_by(both, 2) else seeing
        choice = seeing if choice.beaten_by(seeing, 1) else choice
    progress(0.8, "Training the best one")
    view = choice.view
    if view != "features":
        strict = recalibrate(materials[view], unseen[view], choice, count, seed)
        choice = replace(choice, calibration=strict)
    trained = finish(materials[view], count, seed, unseen[view], choice)
    return Selection(
        view,
        choice.kind,
        trained,
        thresholds(unseen[view], choice),
        held_out(unseen[view], choice),
    )
