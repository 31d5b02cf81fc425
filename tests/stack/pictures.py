"""Pictures for tests: digits as PNG files, and drawn things that are none."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits


@lru_cache
def digits() -> dict[int, list[bytes]]:
    """Scans of handwritten digits by digit, 96 px wide."""
    data = load_digits()
    found: dict[int, list[bytes]] = {digit: [] for digit in range(10)}
    for image, digit in zip(data.images, data.target, strict=True):
        gray = (255 - image * 255 / 16).astype(np.uint8)
        found[int(digit)].append(
            png(Image.fromarray(gray).resize((96, 96), Image.Resampling.BICUBIC))
        )
    return found


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def jpeg(image: bytes, quality: int = 85) -> bytes:
    """The same picture, re-encoded."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(image)).convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def drawn(seed: int) -> bytes:
    """Coloured shapes that are no digit."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", (160, 120), tuple(int(v) for v in random.integers(0, 255, 3)))
    pen = ImageDraw.Draw(image)
    for _ in range(6):
        x, y, w, h = (int(v) for v in random.integers(5, 90, 4))
        pen.ellipse((x, y, x + w, y + h), fill=tuple(int(v) for v in random.integers(0, 255, 3)))
    return png(image)
