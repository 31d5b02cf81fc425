"""Bytes as they are stored in S3 -> a small RGB picture."""

import io
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from loupe_local.vision.errors import VisionError

Picture = NDArray[np.uint8]
"""RGB, shape (height, width, 3)."""

FORMATS = ("PNG", "JPEG")
MAX_PIXELS = 50_000_000
AREA = 160 * 160
LONGEST = 512
INVISIBLE = 24
"""Largest contrast (0..255) at which a picture composed on white counts as not to be seen."""


def decode(image: bytes) -> Picture:
    """A PNG or JPEG as a small picture of at most `AREA` pixels and `LONGEST` a side.

    EXIF orientation is honoured. Transparency is composed on white, or on dark grey when
    nothing would be seen on white (a white logo).

    Raises:
        VisionError: not a PNG or JPEG, damaged, or of more than `MAX_PIXELS` pixels.
    """
    try:
        with Image.open(io.BytesIO(image), formats=FORMATS) as opened:
            width, height = opened.size
            if width * height > MAX_PIXELS:
                raise VisionError(f"image is too large: {width}x{height} pixels")
            opened.draft("RGB", _fitted(width, height))
            return _opaque(ImageOps.exif_transpose(opened))
    except VisionError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise VisionError(f"image cannot be decoded: {error}") from error


def _fitted(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, sqrt(AREA / (width * height)), LONGEST / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _shrink(picture: Image.Image) -> Image.Image:
    size = _fitted(*picture.size)
    if size == picture.size:
        return picture
    return picture.resize(size, Image.Resampling.BOX, reducing_gap=2.0)


def _opaque(picture: Image.Image) -> Picture:
    if picture.mode.startswith("I"):  # 16 bits of grey
        eight = (np.asarray(picture) >> 8).astype(np.uint8)
        return np.asarray(_shrink(Image.fromarray(eight)).convert("RGB"))
    if not picture.has_transparency_data:
        return np.asarray(_shrink(picture.convert("RGB")))
    layer = _shrink(picture.convert("RGBA"))
    on_white = _on(layer, 255)
    return on_white if int(on_white.min()) < 255 - INVISIBLE else _on(layer, 48)


def _on(layer: Image.Image, grey: int) -> Picture:
    ground = Image.new("RGBA", layer.size, (grey, grey, grey, 255))
    ground.alpha_composite(layer)
    return np.asarray(ground.convert("RGB"))
