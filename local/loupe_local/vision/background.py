"""Pictures of nothing in particular: what the hidden background class is trained on.

Some are cut from the training pictures, so that colours and strokes alone do not make a label;
the others are noise, drawn shapes, overlapping leaves (Lee, Mumford and Huang, "Occlusion Models
for Natural Images", IJCV 2001, whose statistics are those of photographs) and single characters.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from loupe_local.vision.decode import Picture

Rng = np.random.Generator
SIZE = 128


def backgrounds(pictures: Sequence[Picture], count: int, rng: Rng) -> list[Picture]:
    """`count` pictures that show none of the things in `pictures`."""
    makers = (_scrambled, _leaves, _shapes, _scrambled, _noise, _glyphs, _shapes)
    return [makers[index % len(makers)](pictures, rng) for index in range(count)]


def _scrambled(pictures: Sequence[Picture], rng: Rng) -> Picture:
    """Tiles of one or two training pictures, shuffled and turned."""
    grid = int(rng.integers(3, 6))
    tile = SIZE // grid
    chosen = rng.integers(len(pictures), size=2)
    sources = [cv2.resize(pictures[i], (SIZE, SIZE), interpolation=cv2.INTER_AREA) for i in chosen]
    mixed = sources if rng.random() < 0.5 else sources[:1]
    result = np.empty((tile * grid, tile * grid, 3), dtype=np.uint8)
    for index, cell in enumerate(rng.permutation(grid * grid)):
        y, x = divmod(int(cell), grid)
        source = mixed[index % len(mixed)]
        part = source[y * tile : (y + 1) * tile, x * tile : (x + 1) * tile]
        part = np.rot90(part, int(rng.integers(4)))
        y, x = divmod(index, grid)
        result[y * tile : (y + 1) * tile, x * tile : (x + 1) * tile] = part
    return result


def _colour(rng: Rng) -> tuple[int, int, int]:
    if rng.random() < 0.3:
        return (int(rng.integers(256)),) * 3
    red, green, blue = rng.integers(256, size=3)
    return int(red), int(green), int(blue)


def _ground(rng: Rng) -> Picture:
    plain = (255, 255, 255) if rng.random() < 0.4 else _colour(rng)
    return np.full((SIZE, SIZE, 3), plain, dtype=np.uint8)


def _leaves(_: Sequence[Picture], rng: Rng) -> Picture:
    """Discs and boxes of all sizes over each other, lit and softened like a photograph."""
    canvas = _ground(rng)
    tint = rng.uniform(0, 255, 3)
    for _leaf in range(int(rng.integers(30, 200))):
        radius = int(min(60, 4 / max(rng.random(), 0.03) ** 0.8))
        x, y = (int(value) for value in rng.integers(-10, SIZE + 10, size=2))
        shade = np.clip(tint + rng.normal(0, 60), 0, 255) * 0.6 + rng.uniform(0, 255, 3) * 0.4
        colour = [float(value) for value in shade]
        if rng.random() < 0.6:
            axes = (radius, max(1, int(radius * rng.uniform(0.3, 1))))
            cv2.ellipse(canvas, (x, y), axes, rng.uniform(0, 180), 0, 360, colour, -1)
        else:
            cv2.rectangle(canvas, (x, y), (x + radius, y + radius), colour, -1)
    lit = canvas * np.linspace(rng.uniform(0.5, 1), 1, SIZE)[:, None, None]
    lit = lit + _cloud(rng) * rng.uniform(0, 50)
    softened = cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.4, 2))
    return np.clip(softened, 0, 255).astype(np.uint8)


def _cloud(rng: Rng) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Noise of which the power falls with frequency, shape (SIZE, SIZE, 3), mean 0, spread 1."""
    steepness = rng.uniform(0.3, 2.2)
    y, x = np.meshgrid(np.fft.fftfreq(SIZE), np.fft.fftfreq(SIZE), indexing="ij")
    fall = np.maximum(np.hypot(x, y), 1 / SIZE) ** -steepness
    grey = rng.standard_normal((SIZE, SIZE, 1))
    mix = rng.uniform(0, 1)
    white = mix * grey + (1 - mix) * rng.standard_normal((SIZE, SIZE, 3))
    cloud = np.fft.ifft2(np.fft.fft2(white, axes=(0, 1)) * fall[..., None], axes=(0, 1)).real
    return np.asarray((cloud - cloud.mean()) / (cloud.std() + 1e-9))


def _noise(_: Sequence[Picture], rng: Rng) -> Picture:
    base = rng.uniform(30, 225, 3) + _cloud(rng) * rng.uniform(15, 70)
    return np.clip(base, 0, 255).astype(np.uint8)


def _shapes(_: Sequence[Picture], rng: Rng) -> Picture:
    """One to five drawn shapes: outlines or filled, on white or on a colour."""
    canvas = _ground(rng)
    number = 1 if rng.random() < 0.5 else int(rng.integers(2, 6))
    for _shape in range(number):
        colour = _colour(rng)
        width = -1 if rng.random() < 0.6 else int(rng.integers(2, 12))
        x, y = (int(value) for value in rng.integers(20, SIZE - 20, size=2))
        size = int(rng.integers(10, 50))
        kind = rng.integers(5)
        if kind == 0:
            cv2.circle(canvas, (x, y), size, colour, width, cv2.LINE_AA)
        elif kind == 1:
            end = (x + size, y + int(size * rng.uniform(0.3, 1.5)))
            cv2.rectangle(canvas, (x - size, y - size // 2), end, colour, width)
        elif kind == 2:
            turn = rng.uniform(0, 180)
            cv2.ellipse(canvas, (x, y), (size, size // 2), turn, 0, 360, colour, width)
        elif kind == 3:
            far_x, far_y = (int(value) for value in rng.integers(0, SIZE, size=2))
            cv2.line(canvas, (x, y), (far_x, far_y), colour, max(2, abs(width)), cv2.LINE_AA)
        else:
            corners = _corners(int(rng.integers(3, 9)), rng) * size + (x, y)
            cv2.fillPoly(canvas, [corners.astype(np.int32)], colour, cv2.LINE_AA)
    return canvas


def _corners(count: int, rng: Rng) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.uniform(0, 2 * np.pi)
    radii = np.where(np.arange(count) % 2, rng.uniform(0.3, 1), 1.0)
    return np.stack([np.cos(angles) * radii, np.sin(angles) * radii], axis=1)


def _glyphs(_: Sequence[Picture], rng: Rng) -> Picture:
    """One or two printed or blurred characters."""
    canvas = _ground(rng)
    text = "".join(chr(int(code)) for code in rng.integers(33, 127, size=rng.integers(1, 3)))
    font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_TRIPLEX]))
    scale = rng.uniform(1.5, 3.5)
    at = (int(rng.integers(5, 40)), int(rng.integers(80, 120)))
    cv2.putText(canvas, text, at, font, scale, _colour(rng), int(rng.integers(2, 12)), cv2.LINE_AA)
    if rng.random() < 0.5:
        small = int(rng.integers(8, 20))
        coarse = cv2.resize(canvas, (small, small), interpolation=cv2.INTER_AREA)
        soft = cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
        return soft.astype(np.uint8)
    return canvas
