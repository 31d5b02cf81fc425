"""The demo's images: the handwritten digits that scikit-learn ships, written out as PNG files."""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

SIDE = 128
LABELLED_PER_DIGIT = 8
MORE_PER_DIGIT = 10
FIRST_STREAM = 360
SECOND_STREAM = 150
UNSEEN = 400


@dataclass(frozen=True)
class Pictures:
    """Files by what the demo does with them; `truth` says which digit each file shows."""

    labelled: Path
    more_labelled: Path
    first_stream: Path
    second_stream: Path
    unseen: list[Path]
    truth: dict[str, str]


def write(folder: Path) -> Pictures:
    """Write the images, in an order that is the same every time."""
    data = load_digits()
    order = list(range(len(data.images)))
    random.Random(7).shuffle(order)
    labelled, rest = _take(order, data.target, LABELLED_PER_DIGIT)
    more, rest = _take(rest, data.target, MORE_PER_DIGIT)
    streams = (rest[:FIRST_STREAM], rest[FIRST_STREAM : FIRST_STREAM + SECOND_STREAM])
    unseen = rest[FIRST_STREAM + SECOND_STREAM :][:UNSEEN]
    truth = {_name(index): str(digit) for index, digit in enumerate(data.target)}
    for name, indexes in (("labelled", labelled), ("more", more)):
        for index in indexes:
            _save(data.images[index], folder / name / str(data.target[index]) / _name(index))
    for name, indexes in (("first", streams[0]), ("second", streams[1]), ("unseen", unseen)):
        for index in indexes:
            _save(data.images[index], folder / name / _name(index))
    return Pictures(
        labelled=folder / "labelled",
        more_labelled=folder / "more",
        first_stream=folder / "first",
        second_stream=folder / "second",
        unseen=[folder / "unseen" / _name(index) for index in unseen],
        truth=truth,
    )


def _take(
    order: list[int], digits: "np.ndarray[tuple[int], np.dtype[np.int64]]", per_digit: int
) -> tuple[list[int], list[int]]:
    """The first `per_digit` scans of each digit, and what is left."""
    chosen: list[int] = []
    for digit in range(10):
        chosen += [index for index in order if digits[index] == digit][:per_digit]
    return chosen, [index for index in order if index not in set(chosen)]


def _name(index: int) -> str:
    return f"scan-{index:04d}.png"


def _save(scan: "np.ndarray[tuple[int, int], np.dtype[np.float64]]", path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    gray = Image.fromarray((255 - scan * (255 / 16)).astype(np.uint8))
    gray.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path)
