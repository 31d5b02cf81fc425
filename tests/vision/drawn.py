"""Pictures that these tests draw."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits

from loupe_local.vision import Example, Model

RED, BLUE, GREEN, CLEAR = (200, 30, 40, 255), (20, 60, 190, 255), (10, 130, 70, 255), (0, 0, 0, 0)
WHITE, NAVY = (255, 255, 255, 255), (15, 25, 70, 255)


def encode(picture: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def ring(paint: tuple[int, ...], ground: tuple[int, ...] = WHITE, side: int = 256) -> Image.Image:
    """Brand A: a ring with a bar through it."""
    picture = Image.new("RGBA", (side, side), ground)
    draw = ImageDraw.Draw(picture)
    edge, width = side // 8, side // 10
    draw.ellipse((edge, edge, side - edge, side - edge), outline=paint, width=width)
    draw.rectangle((0, side // 2 - width // 2, side - 1, side // 2 + width // 2), fill=paint)
    return picture


def bolt(paint: tuple[int, ...], ground: tuple[int, ...] = WHITE, side: int = 256) -> Image.Image:
    """Brand B: a bolt of lightning over a square."""
    picture = Image.new("RGBA", (side, side), ground)
    draw = ImageDraw.Draw(picture)
    corners = [(0.6, 0.05), (0.25, 0.55), (0.48, 0.55), (0.4, 0.95), (0.78, 0.4), (0.53, 0.4)]
    draw.polygon([(x * side, y * side) for x, y in corners], fill=paint)
    draw.rectangle((side // 12, side // 12, side // 4, side // 4), fill=paint)
    return picture


def logos() -> list[Example]:
    """Five images of each of two brands: colours, grounds, sizes, angles and shapes differ."""
    examples = []
    for label, mark in (("bolt", bolt), ("ring", ring)):
        wide = Image.new("RGBA", (1280, 64), WHITE)
        wide.paste(mark(GREEN, side=64), (300, 0))
        images = [
            mark(RED),
            mark(BLUE, CLEAR, side=512),
            mark(WHITE, NAVY),
            mark(GREEN, side=64).rotate(6, fillcolor=WHITE),
            wide,
        ]
        examples += [Example(encode(image), label) for image in images]
    return examples


def others(count: int) -> list[bytes]:
    """Noise, stripes, gradients, plain shapes and digits in turn."""
    rng = np.random.default_rng(7)
    digits = load_digits().images
    images = []
    for index in range(count):
        pixels = np.zeros((96, 96, 3), dtype=np.float64)
        if index % 4 == 0:
            coarse = rng.uniform(0, 255, (12, 12, 3)).astype(np.uint8)
            pixels[:] = np.asarray(Image.fromarray(coarse).resize((96, 96)))
        elif index % 4 == 1:
            pixels[:] = 127 + 120 * np.sin(np.arange(96) / rng.uniform(1, 9))[:, None]
        elif index % 4 == 2:
            picture = Image.new("RGB", (96, 96), "white")
            colour = tuple(int(value) for value in rng.integers(0, 200, 3))
            x, y = (int(value) for value in rng.integers(5, 40, 2))
            ImageDraw.Draw(picture).rectangle((x, y, x + 40, y + 25), fill=colour)
            pixels[:] = np.asarray(picture)
        else:
            images.append(digit(digits[index]))
            continue
        images.append(encode(Image.fromarray(pixels.astype(np.uint8))))
    return images


def digit(values: NDArray[np.float64]) -> bytes:
    """An 8x8 digit, 0..16, as a PNG of 64x64."""
    return encode(Image.fromarray((values * 15.9).astype(np.uint8)).resize((64, 64)))


def digits(count: int, seed: int = 0) -> list[Example]:
    data = load_digits()
    chosen = np.random.default_rng(seed).permutation(len(data.images))[:count]
    return [Example(digit(data.images[index]), str(data.target[index])) for index in chosen]


def top(model: Model, image: bytes) -> tuple[str, float]:
    confidence = model.predict(image)
    label = max(confidence, key=lambda name: confidence[name])
    return label, confidence[label]
