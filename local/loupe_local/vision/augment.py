"""Copies of a picture as it might also have been taken: other angle, size, light.

No mirror images: a mirrored digit or letter is another thing.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from loupe_local.vision.decode import Picture
from loupe_local.vision.features import ground_colour

Rng = np.random.Generator


def vary(picture: Picture, rng: Rng) -> Picture:
    """One copy in other geometry and other light, of the same size."""
    return _relight(_move(picture, rng), rng)


def _move(picture: Picture, rng: Rng) -> Picture:
    height, width = picture.shape[:2]
    angle = np.deg2rad(rng.normal(0, 6))
    stretch = np.exp(rng.normal(0, 0.07, 2)) * rng.uniform(0.85, 1.05)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1, rng.normal(0, 0.08)], [0, 1]])
    linear = turn @ shear @ np.diag(stretch)
    centre = np.array([width / 2, height / 2])
    shift = rng.uniform(-0.04, 0.04, 2) * (width, height)
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = centre - linear @ centre + shift
    matrix[2, :2] = rng.normal(0, 0.05, 2) / (width, height)
    matrix[2, 2] -= matrix[2, :2] @ centre
    colour = [float(value) for value in ground_colour(picture)]
    moved = cv2.warpPerspective(
        picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=colour
    )
    return moved.astype(np.uint8)


def _relight(picture: Picture, rng: Rng) -> Picture:
    light: NDArray[Any] = picture.astype(np.float32) / 255
    light = light ** np.float32(np.exp(rng.normal(0, 0.2)))
    light = light * np.exp(rng.normal(0, 0.08, 3)).astype(np.float32) + rng.normal(0, 0.03)
    if rng.random() < 0.4:
        light = cv2.GaussianBlur(light, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.4:
        noise = rng.standard_normal(light.shape, dtype=np.float32)
        light = light + noise * np.float32(rng.uniform(0.01, 0.04))
    return (np.clip(light, 0, 1) * 255).astype(np.uint8)
