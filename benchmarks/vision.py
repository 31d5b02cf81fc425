"""How well the local trainer sees: drawn logos, foreign images, digits.

    python -m benchmarks.vision [--seeds 3] [--quick]

Two kinds of logo sets, each with two labels of five images of which one a label is the test:
`variations` are one brand's mark in five colours, sizes and grounds, `assorted` are five unrelated
marks a label (leaving one out then says nothing but chance; it is shown all the same).
"""

import argparse
import io
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import cv2
import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images

from loupe_local.vision import Example, Model, train
from loupe_local.vision.evaluation import calibration_error

Pixels = NDArray[np.uint8]
Rng = np.random.Generator
Mark = Callable[[Pixels, tuple[int, ...], tuple[int, ...]], None]
SURE = 70.0
WORDS = ("ACME", "Loupe", "nova", "ZEN", "Orbit", "kite", "HALO", "Pico", "Vega", "lumo")


def png(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


@dataclass(frozen=True)
class Emblem:
    """How the figure of a mark is drawn."""

    x: int
    y: int
    radius: int
    inner: int
    turn: float
    sides: int


Paint = tuple[int, ...]
Figure = Callable[[Pixels, Emblem, Paint, Paint], None]


def disc(canvas: Pixels, e: Emblem, first: Paint, second: Paint) -> None:
    cv2.circle(canvas, (e.x, e.y), e.radius, first, -1, cv2.LINE_AA)
    cv2.circle(canvas, (e.x + e.inner // 3, e.y), e.inner, second, -1, cv2.LINE_AA)


def star(canvas: Pixels, e: Emblem, first: Paint, _second: Paint) -> None:
    angles = np.deg2rad(e.turn + np.arange(e.sides * 2) * 180 / e.sides)
    length = np.where(np.arange(e.sides * 2) % 2, e.inner, e.radius)
    corners = np.stack([e.x + np.cos(angles) * length, e.y + np.sin(angles) * length], 1)
    cv2.fillPoly(canvas, [corners.astype(np.int32)], first, cv2.LINE_AA)


def eye(canvas: Pixels, e: Emblem, first: Paint, second: Paint) -> None:
    near, far = (e.x - e.radius, e.y - e.radius), (e.x + e.radius, e.y + e.radius)
    cv2.rectangle(canvas, near, far, first, -1)
    axes = (e.radius, e.inner)
    cv2.ellipse(canvas, (e.x, e.y), axes, e.turn, 0, 360, second, -1, cv2.LINE_AA)


def knot(canvas: Pixels, e: Emblem, first: Paint, _second: Paint) -> None:
    for index in range(e.sides):
        axes = (e.radius - index * 8, max(6, e.inner - index * 4))
        cv2.ellipse(canvas, (e.x, e.y), axes, e.turn + index * 180 / e.sides, 0, 360, first, 5)


def crescent(canvas: Pixels, e: Emblem, first: Paint, second: Paint) -> None:
    axes = (e.radius, e.radius)
    cv2.ellipse(canvas, (e.x, e.y), axes, e.turn, 0, 270, first, 24, cv2.LINE_AA)
    cv2.circle(canvas, (e.x, e.y), e.inner // 2, second, -1, cv2.LINE_AA)


def bars(canvas: Pixels, e: Emblem, first: Paint, second: Paint) -> None:
    for index in range(3):
        left = e.x - e.radius + index * e.radius * 2 // 3
        top = e.y + e.radius - int(e.radius * (0.6 + 0.6 * ((index * e.sides) % 3)))
        paint = first if index % 2 else second
        corner = (left + e.radius // 2, e.y + e.radius)
        cv2.rectangle(canvas, (left, top), corner, paint, -1)


FIGURES: tuple[Figure, ...] = (disc, star, eye, knot, crescent, bars)


def brand(rng: Rng) -> Mark:
    """A mark on a 256x256 canvas, drawn with a first and a second colour (RGBA)."""
    figure = FIGURES[int(rng.integers(len(FIGURES)))]
    word = str(rng.choice(WORDS))
    named = int(rng.integers(3)) > 0
    turn, sides = float(rng.uniform(0, 90)), int(rng.integers(3, 8))
    font = int(rng.choice([cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX]))
    y, radius = (90, 70) if named else (128, 110)
    emblem = Emblem(128, y, radius, int(radius * rng.uniform(0.35, 0.65)), turn, sides)

    def draw(canvas: Pixels, first: Paint, second: Paint) -> None:
        figure(canvas, emblem, first, second)
        if named:
            (width, _), _base = cv2.getTextSize(word, font, 2.0, 4)
            scale = 2.0 * min(1.0, 230 / width)
            at = (128 - int(width * scale / 4), 235)
            cv2.putText(canvas, word, at, font, scale, first, 5, cv2.LINE_AA)

    return draw


def rendition(mark: Mark, rng: Rng, colours: Sequence[tuple[int, ...]]) -> bytes:
    """The mark as a file: with transparency or on a ground, 64..2048 px, some on a wide canvas."""
    transparent = rng.random() < 0.4
    ground: tuple[int, ...] = (0, 0, 0, 0) if transparent else (255, 255, 255, 255)
    first, second = colours[0], colours[1]
    if not transparent and rng.random() < 0.4:
        ground, first = first, (255, 255, 255, 255)
    canvas = np.zeros((256, 256, 4), dtype=np.uint8)
    canvas[:] = ground
    mark(canvas, first, second)
    angle, scale = float(rng.normal(0, 5)), float(rng.uniform(0.6, 1.0))
    matrix = cv2.getRotationMatrix2D((128, 128), angle, scale)
    canvas = cv2.warpAffine(canvas, matrix, (256, 256), borderValue=ground).astype(np.uint8)
    if rng.random() < 0.3:
        wide = np.zeros((256, int(256 * rng.uniform(1.3, 4)), 4), dtype=np.uint8)
        wide[:] = ground
        offset = int(rng.integers(0, wide.shape[1] - 256))
        wide[:, offset : offset + 256] = canvas
        canvas = wide
    side = float(rng.choice([64, 96, 200, 512, 1024, 2048])) / 256
    size = round(canvas.shape[1] * side), round(256 * side)
    method = cv2.INTER_AREA if side < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(canvas, size, interpolation=method).astype(np.uint8)
    return png(resized if transparent else resized[..., :3].copy())


def colour(rng: Rng) -> tuple[int, ...]:
    hue, saturation, value = rng.integers(180), rng.integers(120, 256), rng.integers(60, 230)
    pixel = np.array([[[hue, saturation, value]]], dtype=np.uint8)
    red, green, blue = cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0].tolist()
    return int(red), int(green), int(blue), 255


def logos(seed: int, assorted: bool) -> list[Example]:
    """Five images of each of two labels; the last of each label is the test image."""
    rng = np.random.default_rng(seed)
    examples = []
    for label in ("brand-a", "brand-b"):
        mark, palette = brand(rng), [colour(rng), colour(rng)]
        for _ in range(5):
            if assorted:
                mark = brand(rng)
            if assorted or rng.random() < 0.4:
                palette = [colour(rng), colour(rng)]
            examples.append(Example(rendition(mark, rng, palette), label))
    return examples


def foreign(seed: int) -> list[bytes]:
    """100 images of other things: 40 photographs, 30 drawn shapes, 30 digits."""
    rng = np.random.default_rng(seed + 1000)
    folder = Path(skimage.__file__).parent / "data"
    names = (
        "astronaut",
        "brick",
        "camera",
        "cell",
        "chelsea",
        "clock_motion",
        "coffee",
        "coins",
        "grass",
        "gravel",
        "ihc",
        "moon",
        "motorcycle_left",
        "page",
        "text",
    )
    photos = [np.asarray(Image.open(folder / f"{name}.png").convert("RGB")) for name in names]
    photos += [np.asarray(Image.open(folder / f"{name}.jpg")) for name in ("rocket", "retina")]
    photos += list(load_sample_images().images)
    images = [png(photo) for photo in photos]
    while len(images) < 40:
        photo = photos[int(rng.integers(len(photos)))]
        height, width = (int(side * rng.uniform(0.3, 0.7)) for side in photo.shape[:2])
        y = int(rng.integers(photo.shape[0] - height))
        x = int(rng.integers(photo.shape[1] - width))
        images.append(png(np.ascontiguousarray(photo[y : y + height, x : x + width])))
    for _ in range(30):
        side = int(rng.integers(64, 400))
        canvas = np.full((side, side, 3), 255 if rng.random() < 0.6 else 40, dtype=np.uint8)
        middle, radius, paint = (side // 2, side // 2), side // 3, colour(rng)[:3]
        kind, width = int(rng.integers(4)), -1 if rng.random() < 0.5 else 6
        if kind == 0:
            cv2.circle(canvas, middle, radius, paint, width)
        elif kind == 1:
            cv2.rectangle(canvas, (radius, radius), (radius * 2, side - radius // 2), paint, width)
        elif kind == 2:
            cv2.ellipse(canvas, middle, (radius, radius // 2), 30, 0, 360, paint, width)
        else:
            corners = rng.integers(5, side - 5, size=(int(rng.integers(3, 6)), 2))
            cv2.fillPoly(canvas, [corners.astype(np.int32)], paint)
        images.append(png(canvas))
    chosen = rng.permutation(1797)[:30]
    return images + [digit(load_digits().images[index]) for index in chosen]


def digit(values: NDArray[np.float64]) -> bytes:
    """An 8x8 digit, 0..16, as a PNG of 128x128."""
    small = Image.fromarray((values * 15.9).astype(np.uint8))
    return png(np.asarray(small.resize((128, 128), Image.Resampling.NEAREST)))


def top(model: Model, image: bytes) -> tuple[str, float]:
    confidence = model.predict(image)
    label = max(confidence, key=lambda name: confidence[name])
    return label, confidence[label]


def measure_logos(seed: int, assorted: bool, leave_out: bool) -> tuple[int, int, int, float]:
    """Of 10: right and sure when seen again, right when left out; of 100: foreign and not sure."""
    examples = logos(seed, assorted)
    held = [examples[4], examples[9]]
    started = time.perf_counter()
    model = train([example for example in examples if example not in held], held)
    seconds = time.perf_counter() - started
    seen = 0
    for example in examples:
        label, sure = top(model, example.image)
        seen += label == example.label and sure > SURE
    rejected = sum(top(model, image)[1] < SURE for image in foreign(seed))
    found = 0
    for example in examples if leave_out else []:
        rest = [other for other in examples if other is not example]
        found += top(train(rest, []), example.image)[0] == example.label
    return seen, found, rejected, seconds


def measure_digits(number: int, seed: int, unseen: int = 600) -> dict[str, float]:
    data = load_digits()
    order = np.random.default_rng(seed).permutation(len(data.images))
    examples = [Example(digit(data.images[i]), str(data.target[i])) for i in order]
    started = time.perf_counter()
    model = train(examples[:number], [])
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    answers = [top(model, example.image) for example in examples[-unseen:]]
    each = (time.perf_counter() - started) / unseen
    pairs = zip(answers, examples[-unseen:], strict=True)
    right = np.array([answer[0] == example.label for answer, example in pairs])
    sure = np.array([answer[1] for answer in answers])
    return {
        "accuracy": float(right.mean()),
        "ece": calibration_error(sure / 100, right),
        "below 70": float((sure < SURE).mean()),
        "accuracy above 70": float(right[sure >= SURE].mean()),
        "seconds": seconds,
        "ms each": each * 1000,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="no leaving out, no 1000 digits")
    chosen = parser.parse_args()
    for assorted in (False, True):
        rows = [measure_logos(seed, assorted, not chosen.quick) for seed in range(chosen.seeds)]
        print(f"\nlogos, {'assorted' if assorted else 'variations'} ({chosen.seeds} seeds)")
        names = (
            "seen again, right and > 70, of 10",
            "left out, right, of 10",
            "foreign < 70, of 100",
            "seconds to train",
        )
        for column, name in enumerate(names):
            values = [row[column] for row in rows]
            worst = max(values) if column == 3 else min(values)
            print(f"  {name:36} worst {worst:6.1f}  mean {mean(values):6.1f}")
    for number in (60, 200, 300) if chosen.quick else (60, 200, 300, 1000):
        seeds = 1 if number > 200 else chosen.seeds
        results = [measure_digits(number, seed) for seed in range(seeds)]
        print(f"\ndigits, {number} images ({seeds} seeds)")
        for name in results[0]:
            values = [result[name] for result in results]
            worst = min(values) if name.startswith("accuracy") else max(values)
            print(f"  {name:36} worst {worst:6.3f}  mean {mean(values):6.3f}")


if __name__ == "__main__":
    main()
