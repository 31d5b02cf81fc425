"""Which way of seeing is chosen."""

from collections.abc import Sequence

import numpy as np
import pytest

from loupe_local.vision import selection
from loupe_local.vision.calibration import Calibration
from loupe_local.vision.classifier import Logistic
from loupe_local.vision.decode import Picture
from loupe_local.vision.features import Floats
from loupe_local.vision.material import Rows
from loupe_local.vision.training import Choice
from loupe_local.vision.views import View

IMAGES = 40
BACKGROUNDS = 40


def rows() -> Rows:
    """Forty images of two labels, a copy of each, and forty backgrounds, in four folds."""
    classes = np.arange(IMAGES) % 2
    folds = np.arange(IMAGES) // 2 % 4
    return Rows(
        pictures=[np.zeros((1, 1, 3), dtype=np.uint8)] * (2 * IMAGES + BACKGROUNDS),
        classes=np.concatenate([classes, classes, np.full(BACKGROUNDS, 2)]),
        folds=np.concatenate([folds, folds, np.arange(BACKGROUNDS) % 4]),
        source=np.concatenate([np.arange(IMAGES)] * 2 + [np.full(BACKGROUNDS, -1)]),
        turn=np.concatenate([np.repeat(np.arange(2), IMAGES), np.arange(BACKGROUNDS) // 4]),
    )


def choose_between(
    monkeypatch: pytest.MonkeyPatch, informative: Sequence[View]
) -> tuple[View, list[View]]:
    """The way chosen when only the `informative` ones tell labels apart, and those asked for."""
    classes = rows().classes
    asked: list[View] = []

    def embed(pictures: Sequence[Picture], view: View) -> Floats:
        asked.append(view)
        assert len(pictures) == len(classes)
        rng = np.random.default_rng(0)  # The same noise for each way of seeing.
        spread = rng.normal(0, 1, (len(classes), 12)).astype(np.float32)
        spread[classes == 2] += 6
        if view in informative:
            spread[:, 0] = (classes - 0.5) * 20
        return spread

    monkeypatch.setattr(selection, "embed", embed)
    chosen = selection.select(rows(), 3, 0, lambda *_: None)
    return chosen.view, asked


def test_features_that_are_good_enough_spare_the_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_between(monkeypatch, ["features", "backbone"]) == ("features", ["features"])


def test_the_backbone_is_chosen_where_features_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    view, asked = choose_between(monkeypatch, ["backbone"])
    assert asked == ["features", "backbone"]
    assert view in ("backbone", "both")


def test_features_stay_where_nothing_is_better(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_between(monkeypatch, []) == ("features", ["features", "backbone"])


def choice(losses: list[float]) -> Choice:
    return Choice("features", "kernel", Calibration(1, 0, 0), np.array(losses))


def test_a_choice_is_beaten_by_one_that_is_clearly_better() -> None:
    assert choice([1.0, 1.1, 0.9, 1.0]).beaten_by(choice([0.5, 0.5, 0.5, 0.5]), 2)
    assert not choice([0.5, 0.5, 0.5, 0.5]).beaten_by(choice([1.0, 1.1, 0.9, 1.0]), 2)


def test_a_gain_that_may_be_luck_beats_nothing() -> None:
    first, other = choice([1.0, 1.0, 1.0, 1.0]), choice([0.0, 1.4, 0.2, 1.2])
    assert not first.beaten_by(other, 2)
    assert not first.beaten_by(other, 1)
    assert first.beaten_by(other, 0)


def test_logistic_regression_of_two_classes_prefers_the_right_one() -> None:
    vectors = np.array([[-1.0], [-1.2], [1.0], [1.1]], dtype=np.float32)
    scores = Logistic.fit(vectors, np.array([0, 0, 2, 2]), 3).scores(vectors)
    assert scores.argmax(axis=1).tolist() == [0, 0, 2, 2]
    assert scores[0, 0] - scores[0, 2] == pytest.approx(scores[2, 2] - scores[2, 0], rel=0.3)
