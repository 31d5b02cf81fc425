"""An ONNX image model whose output replaces the hand-made features."""

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from loupe_local.vision.decode import Picture
from loupe_local.vision.errors import VisionError
from loupe_local.vision.features import Floats, ground_colour

SIDE = 224
MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
SPREAD = np.array([0.229, 0.224, 0.225], dtype=np.float32)
"""Of ImageNet, as the models of torchvision and timm expect."""


@dataclass
class Backbone:
    """Embeds pictures by a model of one NCHW float input; its first output is the embedding.

    Raises:
        VisionError: `onnxruntime` is not installed, or the file is not a model it can read.
    """

    path: Path
    session: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            runtime = import_module("onnxruntime")
        except ImportError as error:
            raise VisionError("a backbone needs the package onnxruntime") from error
        try:
            self.session = runtime.InferenceSession(
                str(self.path), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has no public base class for its errors
            raise VisionError(f"backbone {self.path} cannot be read: {error}") from error

    def __call__(self, picture: Picture) -> Floats:
        """The embedding, of length 1."""
        entry = self.session.get_inputs()[0]
        side = entry.shape[2] if isinstance(entry.shape[2], int) else SIDE
        pixels = (squared(picture, side).astype(np.float32) / 255 - MEAN) / SPREAD
        output = self.session.run(None, {entry.name: pixels.transpose(2, 0, 1)[None]})[0]
        vector = np.asarray(output, dtype=np.float32).ravel()
        return vector / (np.linalg.norm(vector) + np.float32(1e-6))


def squared(picture: Picture, side: int) -> Picture:
    """The whole picture on a square of its ground colour, shape (side, side, 3)."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    square = np.empty((side, side, 3), dtype=np.uint8)
    square[:] = ground_colour(picture)
    y, x = (side - size[1]) // 2, (side - size[0]) // 2
    square[y : y + size[1], x : x + size[0]] = small
    return square
