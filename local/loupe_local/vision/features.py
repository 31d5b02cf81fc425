"""A picture -> one vector that says its shape, ink and colours.

Shape is a histogram of oriented gradients (Dalal and Triggs, "Histograms of Oriented Gradients
for Human Detection", CVPR 2005) with unsigned orientations, so that a mark and its negative look
alike. All parts are measured on the picture's content: its even margin is trimmed first.
"""

from dataclasses import dataclass
from math import log

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from loupe_local.vision.decode import Picture

Floats = NDArray[np.float32]
SIDE = 64
MARGIN = 4
CELL = 8
BINS = 9
cv2.setNumThreads(1)  # pictures are small: threads of our own, one a picture, serve better
WIDEST = 3.0
"""Content wider than this many times its height is squeezed to it (and the other way round)."""


@dataclass(frozen=True)
class Canvas:
    """Content of a picture, centred on a square."""

    rgb: Floats
    """Shape (SIDE, SIDE, 3), 0..1."""
    ink: Floats
    """Shape (SIDE, SIDE), 0..1: how far each pixel is from the ground colour."""
    elongation: float
    """log(width / height) of the content."""


def ground_colour(picture: Picture) -> Floats:
    """The median colour of the picture's edge, shape (3,), 0..255."""
    edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    return _f32(np.median(edge, axis=0))


def place(picture: Picture) -> Canvas:
    """The picture's content without its even margin, centred on a square of the ground colour."""
    ground = ground_colour(picture)
    difference = np.abs(picture.astype(np.float32) - ground).max(axis=2)
    top, bottom = _extent(difference.max(axis=1))
    left, right = _extent(difference.max(axis=0))
    content = picture[top:bottom, left:right].astype(np.float32) / 255
    height, width = content.shape[:2]
    inner = SIDE - 2 * MARGIN
    longest = max(height, width)
    size = [max(round(inner * side / longest), round(inner / WIDEST)) for side in (width, height)]
    ratio = longest / inner
    method = cv2.INTER_AREA if ratio > 1 else cv2.INTER_LINEAR
    small = cv2.resize(content, (size[0], size[1]), interpolation=method)
    rgb = np.empty((SIDE, SIDE, 3), dtype=np.float32)
    rgb[:] = ground / 255
    y, x = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    rgb[y : y + size[1], x : x + size[0]] = small
    ink = np.abs(rgb - ground / 255).max(axis=2)
    ink /= max(float(np.percentile(ink, 98)), 0.05)
    return Canvas(rgb, np.minimum(ink, 1).astype(np.float32), log(width / height))


def _extent(profile: Floats) -> tuple[int, int]:
    inked = np.flatnonzero(profile > max(12.0, 0.2 * float(profile.max())))
    if inked.size < 2:
        return 0, profile.size
    return int(inked[0]), int(inked[-1]) + 1


def describe(picture: Picture) -> Floats:
    """The hand-made features of a picture: shape (d,), each part of a length fixed by weight."""
    canvas = place(picture)
    lab = _f32(cv2.cvtColor(canvas.rgb, cv2.COLOR_RGB2LAB))
    shape, texture = _gradients(canvas.rgb)
    parts = (
        (1.0, shape),
        (0.3, texture),
        (0.7, _f32(cv2.resize(canvas.ink, (16, 16), interpolation=cv2.INTER_AREA)).ravel()),
        (0.4, _palette(lab, canvas.ink)),
        (0.25, _layout(lab)),
    )
    vectors = [weight * unit(part) for weight, part in parts]
    vectors.append(np.array([0.2 * canvas.elongation], dtype=np.float32))
    return np.concatenate(vectors).astype(np.float32)


def unit(vector: Floats) -> Floats:
    return vector / (np.linalg.norm(vector) + 1e-6)


def _gradients(rgb: Floats) -> tuple[Floats, Floats]:
    """Oriented gradients by block, shape (7*7*4*9,), and over the whole canvas, shape (9,)."""
    dx = cv2.Sobel(rgb, cv2.CV_32F, 1, 0, ksize=1, borderType=cv2.BORDER_REPLICATE)
    dy = cv2.Sobel(rgb, cv2.CV_32F, 0, 1, ksize=1, borderType=cv2.BORDER_REPLICATE)
    strength = dx * dx + dy * dy
    channel = strength.argmax(axis=2)[..., None]
    dx, dy = (np.take_along_axis(d, channel, axis=2)[..., 0] for d in (dx, dy))
    magnitude = np.sqrt(dx * dx + dy * dy)
    position = (np.arctan2(dy, dx) % np.pi) * (BINS / np.pi)
    lower = np.floor(position).astype(np.intp)
    share = position - lower
    planes = np.zeros((SIDE, SIDE, BINS), dtype=np.float32)
    rows, columns = np.ogrid[:SIDE, :SIDE]
    planes[rows, columns, lower % BINS] = magnitude * (1 - share)
    planes[rows, columns, (lower + 1) % BINS] = magnitude * share
    smooth = cv2.GaussianBlur(planes, (0, 0), CELL / 2.5)
    cells = smooth[CELL // 2 :: CELL, CELL // 2 :: CELL]
    blocks = np.concatenate(
        [cells[:-1, :-1], cells[:-1, 1:], cells[1:, :-1], cells[1:, 1:]], axis=2
    )
    for _ in range(2):
        blocks = blocks / (np.linalg.norm(blocks, axis=2, keepdims=True) + 0.01)
        blocks = np.minimum(blocks, 0.25)
    return blocks.ravel(), np.sqrt(planes.sum(axis=(0, 1)))


def _palette(lab: Floats, ink: Floats) -> Floats:
    """A histogram of the ink's colours, shape (4*6*6,), square root taken."""
    scaled = (lab + _f32([0, 90, 90])) / _f32([100, 180, 180])
    place_in = np.clip(scaled, 0, 0.999) * _f32([4, 6, 6])
    index = place_in.astype(np.intp) @ np.array([36, 6, 1])
    counts = np.bincount(index.ravel(), weights=ink.ravel(), minlength=144)
    soft = cv2.GaussianBlur(counts.reshape(4, 36).astype(np.float32), (1, 3), 0.5)
    return _f32(np.sqrt(soft.ravel() / (counts.sum() + 1e-6)))


def _layout(lab: Floats) -> Floats:
    """Colours of a 4x4 grid, shape (48,)."""
    scaled = _f32((lab - _f32([50, 0, 0])) / _f32([50, 60, 60]))
    return _f32(cv2.resize(scaled, (4, 4), interpolation=cv2.INTER_AREA)).ravel()


def _f32(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float32)
