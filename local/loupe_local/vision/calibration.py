"""Raw scores -> probabilities that mean what they say.

Temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017) with two
more numbers for the background: a bias and the weight of novelty, which is how far an image is
from every example compared with how far examples of one label are from each other. All are fitted
on scores of images that the scoring classifier had not seen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from loupe_local.vision.classifier import Classes, Scores

Reals = NDArray[np.float64]
FOREIGN_SHARE = 1.0
"""Weight of all background images together, against 1 for all labelled ones."""

WITHHELD_SHARE = 6.0
"""Weight of all images of withheld labels together, if they are told apart from all others."""

USUAL_NOVELTY = 4.0
"""Weight of novelty that is assumed as far as few images do not say otherwise."""


@dataclass(frozen=True)
class Calibration:
    """The fitted numbers; `slope` is the inverse temperature."""

    slope: float
    bias: float
    novelty: float

    def log_probabilities(self, scores: Scores, novelty: Reals) -> Reals:
        """Shape (n, classes) from scores (n, classes) and novelty (n,)."""
        return _log_probabilities(
            np.array([np.log(self.slope), self.bias, self.novelty]), scores, novelty
        )


def _log_probabilities(parameters: Reals, scores: Scores, novelty: Reals) -> Reals:
    logits = np.exp(parameters[0]) * scores
    logits[:, -1] += parameters[1] + parameters[2] * novelty
    return np.asarray(log_softmax(logits, axis=1))


def fit_calibration(
    scores: Scores, novelty: Reals, classes: Classes, usual: float
) -> tuple[Calibration, Reals]:
    """The calibration of least log loss, and that loss for each labelled image.

    `usual` is the slope that is assumed as far as few images do not say otherwise.
    """
    labelled = classes < scores.shape[1] - 1
    weights = np.where(labelled, _even(labelled), FOREIGN_SHARE * _even(~labelled))
    return _fit(scores, novelty, classes, weights, usual)


def fit_strictly(
    scores: Scores, novelty: Reals, classes: Classes, withheld: NDArray[np.bool_], usual: float
) -> Calibration:
    """As `fit_calibration`, with images of labels that the scorer did not know as foreign ones.

    `withheld` marks them; their class is the background. They count by how well they are told
    from images of known labels (area under the ROC curve). Where labels are so near to each
    other that this is chance, as sound and faulty parts are, they say nothing of foreign images.
    """
    labelled = classes < scores.shape[1] - 1
    top = scores[:, :-1].max(axis=1)
    apart = _area(top[labelled], top[withheld])
    weights = np.where(labelled, _even(labelled), FOREIGN_SHARE * _even(~labelled & ~withheld))
    weights[withheld] = WITHHELD_SHARE * max(0.0, 2 * apart - 1) * _even(withheld)
    return _fit(scores, novelty, classes, weights, usual)[0]


def _even(rows: NDArray[np.bool_]) -> float:
    """The weight of each row of which all together weigh 1."""
    return 1 / max(1, int(rows.sum()))


def _area(higher: Reals, lower: Reals) -> float:
    """The share of pairs in which the first is higher, ties counted half; 0.5 for no pairs."""
    if not len(higher) or not len(lower):
        return 0.5
    ahead = np.sign(higher[:, None] - lower[None])
    return float((ahead.mean() + 1) / 2)


def _fit(
    scores: Scores, novelty: Reals, classes: Classes, weights: Reals, usual: float
) -> tuple[Calibration, Reals]:
    labelled = classes < scores.shape[1] - 1
    rows = np.arange(len(classes))
    start = np.array([np.log(usual), 0.0, USUAL_NOVELTY])
    prior = np.array([2.0, 0.02, 0.1]) / max(1, labelled.sum())

    def loss(parameters: Reals) -> float:
        chosen = _log_probabilities(parameters, scores, novelty)[rows, classes]
        return float(-(weights @ chosen) + prior @ (parameters - start) ** 2)

    bounds = [(-4, 6), (-30, 30), (0, 30)]
    best: Reals = np.asarray(minimize(loss, start, method="L-BFGS-B", bounds=bounds).x)
    chosen = _log_probabilities(best, scores, novelty)[rows, classes]
    fitted = Calibration(float(np.exp(best[0])), float(best[1]), float(best[2]))
    return fitted, np.asarray(-chosen[labelled])
