"""Raw scores -> probabilities that mean what they say.

Temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017) with two
more numbers for the background: a bias and the weight of novelty, which is how far an image is
from every example compared with how far examples of one label are from each other. All are fitted
on scores of images that the scoring classifier had not seen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.special import log_softmax  # type: ignore[import-untyped]

from loupe_local.vision.classifier import Classes, Scores

Reals = NDArray[np.float64]
FOREIGN_SHARE = 1.0
"""Weight of all background images together, against 1 for all labelled ones."""

WITHHELD_SHARE = 0.3
"""Weight of all images of withheld labels together. Below 1, because labels may be so near to each
other that nothing tells a withheld one from the rest; its images then count as theirs."""

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
    scores: Scores,
    novelty: Reals,
    classes: Classes,
    withheld: NDArray[np.bool_],
    usual: float,
) -> tuple[Calibration, Reals]:
    """The calibration of least log loss, and that loss for each labelled image.

    `withheld` marks images of a label that the scorer did not know, whose class is the
    background; `usual` is the slope that is assumed as far as few images do not say otherwise.
    """
    foreign = classes == scores.shape[1] - 1
    weights = np.zeros(len(classes))
    for rows_of, share in (
        (~foreign, 1.0),
        (foreign & ~withheld, FOREIGN_SHARE),
        (withheld, WITHHELD_SHARE),
    ):
        weights[rows_of] = share / max(1, rows_of.sum())
    rows = np.arange(len(classes))
    start = np.array([np.log(usual), 0.0, USUAL_NOVELTY])
    prior = np.array([2.0, 0.02, 0.1]) / max(1, (~foreign).sum())

    def loss(parameters: Reals) -> float:
        chosen = _log_probabilities(parameters, scores, novelty)[rows, classes]
        return float(-(weights @ chosen) + prior @ (parameters - start) ** 2)

    bounds = [(-4, 6), (-30, 30), (0, 30)]
    best: Reals = np.asarray(minimize(loss, start, method="L-BFGS-B", bounds=bounds).x)
    chosen = _log_probabilities(best, scores, novelty)[rows, classes]
    fitted = Calibration(float(np.exp(best[0])), float(best[1]), float(best[2]))
    return fitted, np.asarray(-chosen[~foreign])
