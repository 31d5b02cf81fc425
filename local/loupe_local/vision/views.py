"""The ways in which a picture is described, of which cross-validation chooses one for a model."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np

from loupe_local.vision.backbone import describe_photograph
from loupe_local.vision.decode import Picture
from loupe_local.vision.features import Floats, describe

View = Literal["features", "backbone", "both"]
"""Hand-made features, the backbone's, or both."""

WORKERS = 2
SHARE = np.float32(0.5)
"""Weight of the hand-made features beside the backbone's."""


def join(features: Floats, photographs: Floats) -> Floats:
    """Both descriptions side by side, shape (n, d1 + d2)."""
    return np.concatenate([SHARE * features, photographs], axis=-1)


def _describe_both(picture: Picture) -> Floats:
    return join(describe(picture), describe_photograph(picture))


DESCRIBE: dict[View, Callable[[Picture], Floats]] = {
    "features": describe,
    "backbone": describe_photograph,
    "both": _describe_both,
}


def embed(pictures: Sequence[Picture], view: View) -> Floats:
    """The vectors of pictures, shape (n, d); d is that of the view."""
    if len(pictures) == 1:
        return DESCRIBE[view](pictures[0])[None]
    with ThreadPoolExecutor(WORKERS) as pool:
        return np.stack(list(pool.map(DESCRIBE[view], pictures)))
