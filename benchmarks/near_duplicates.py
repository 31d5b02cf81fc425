"""How well and how fast the same picture is told from pictures of the same kind.

    python -m benchmarks.near_duplicates [--all-digits]

Prints what docs/near-duplicates.md reports. `--all-digits` compares all pairs of handwritten digits
of one class (160,596, some minutes) instead of the 4,000 that look most alike.
"""

import argparse
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from io import BytesIO
from itertools import combinations
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont
from skimage import data
from sklearn.datasets import load_digits, load_sample_images

from loupe.domain.alignment import same_picture
from loupe.domain.fingerprint import Fingerprint, fingerprint

PHOTOS = (
    "astronaut brick camera cell chelsea clock coffee coins colorwheel grass gravel "
    "hubble_deep_field immunohistochemistry moon page retina rocket text"
)
Picture = Image.Image


def png(image: Picture) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def jpeg(image: Picture, quality: int = 85) -> bytes:
    buffer = BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


# Pictures


def photos() -> list[Picture]:
    """Whole photos, and five parts of each."""
    arrays = [*load_sample_images().images, *(getattr(data, name)() for name in PHOTOS.split())]
    found = []
    for array in arrays:
        whole = Image.fromarray(array).convert("RGB")
        found.append(whole)
        for seed in range(5):
            dice = random.Random(seed)
            wide, high = (int(side * dice.uniform(0.3, 0.6)) for side in whole.size)
            left, top = dice.randrange(whole.width - wide), dice.randrange(whole.height - high)
            found.append(whole.crop((left, top, left + wide, top + high)))
    return [image for image in found if min(image.size) >= 80]


def digit(values: Any, side: int = 128) -> Picture:
    pixels = np.round(values / 16 * 255).astype(np.uint8)
    return Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST)


def digits(count: int = 150) -> list[Picture]:
    dice = random.Random(1)
    chosen = dice.sample(list(load_digits().images), count)
    return [digit(values, dice.choice((64, 96, 128, 200, 256))) for values in chosen]


def shapes(count: int = 80) -> list[Picture]:
    dice = random.Random(5)
    found = []
    for _ in range(count):
        side = dice.choice((128, 256, 400))
        image = Image.new("RGB", (side, side), "white")
        pen = ImageDraw.Draw(image)
        for _ in range(dice.choice((1, 1, 2, 3))):
            wide, high = (side * dice.uniform(0.15, 0.5) for _ in range(2))
            x, y = dice.uniform(0.05, 0.45) * side, dice.uniform(0.05, 0.45) * side
            colour = tuple(dice.randrange(220) for _ in range(3))
            draw = dice.choice((pen.ellipse, pen.rectangle))
            draw((x, y, x + wide, y + high), fill=colour)
        found.append(image)
    return found


def logos(count: int = 60) -> list[Picture]:
    dice = random.Random(9)
    found = []
    for _ in range(count):
        image = Image.new("RGB", dice.choice(((300, 300), (400, 200), (320, 240))), "white")
        pen = ImageDraw.Draw(image)
        wide, high = image.size
        box = (wide * 0.08, high * 0.2, wide * 0.08 + high * 0.5, high * 0.7)
        sign, word = (tuple(dice.randrange(40, 220) for _ in range(3)) for _ in range(2))
        dice.choice((pen.ellipse, pen.rectangle))(box, fill=sign)
        text = dice.choice(("ACME", "Loupe", "Orbit", "Zeno", "Kiwi", "Nord"))
        font = ImageFont.load_default(high * 0.2)
        pen.text((box[2] + 10, high * 0.3), text, fill=word, font=font)
        found.append(image)
    return found


def screens(count: int = 60) -> list[Picture]:
    dice = random.Random(11)
    words = ["alpha", "status", "order", "total", "user", "image", "label", "error", "queue"]
    found = []
    for _ in range(count):
        paper, ink = dice.choice((("white", "black"), ("#1e1e1e", "white")))
        image = Image.new("RGB", (640, 400), paper)
        pen = ImageDraw.Draw(image)
        pen.rectangle((0, 0, 640, 30), fill="#3c5aa0")
        for top in range(50, 390, dice.choice((18, 24, 30))):
            line = " ".join(dice.choice(words) for _ in range(dice.randrange(2, 11)))
            pen.text((20, top), line, fill=ink, font=ImageFont.load_default(14))
        found.append(image)
    return found


# Edits


def crop(image: Picture, left: float, top: float, right: float, bottom: float) -> Picture:
    wide, high = image.size
    box = (wide * left, high * top, wide * (1 - right), high * (1 - bottom))
    cut = image.crop((round(box[0]), round(box[1]), round(box[2]), round(box[3])))
    return scale(cut, 1)


def scale(image: Picture, by: float) -> Picture:
    by = max(by, 64 / min(image.size))
    return image.resize((round(image.width * by), round(image.height * by)))


def turn(image: Picture, degrees: float) -> Picture:
    image = image.convert("RGB")
    return image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=image.getpixel((0, 0)))


def watermark(image: Picture) -> Picture:
    image = image.convert("RGB")
    font = ImageFont.load_default(max(6.0, image.height / 16))
    place = (image.width * 0.6, image.height * 0.88)
    ImageDraw.Draw(image).text(place, "© loupe", fill="#c8c8c8", font=font)
    return image


def blur(image: Picture) -> Picture:
    return image.filter(ImageFilter.GaussianBlur(max(0.7, image.width / 200)))


def light(image: Picture, by: float) -> Picture:
    return ImageEnhance.Brightness(image).enhance(by)


def contrast(image: Picture, by: float) -> Picture:
    return ImageEnhance.Contrast(image).enhance(by)


EDITS: dict[str, Callable[[Picture], bytes]] = {
    "JPEG 95": lambda image: jpeg(image, 95),
    "JPEG 40": lambda image: jpeg(image, 40),
    "0.5 x": lambda image: png(scale(image, 0.5)),
    "0.7 x": lambda image: png(scale(image, 0.7)),
    "2 x": lambda image: jpeg(scale(image, 2)),
    "brightness +10 %": lambda image: jpeg(light(image, 1.1)),
    "brightness -10 %": lambda image: jpeg(light(image, 0.9)),
    "contrast +10 %": lambda image: jpeg(contrast(image, 1.1)),
    "contrast -10 %": lambda image: jpeg(contrast(image, 0.9)),
    "crop 2 % a side": lambda image: jpeg(crop(image, 0.02, 0.02, 0.02, 0.02)),
    "crop 3 % a side": lambda image: jpeg(crop(image, 0.03, 0.03, 0.03, 0.03)),
    "crop 3 % corner": lambda image: jpeg(crop(image, 0.03, 0.03, 0, 0)),
    "crop 3 % right": lambda image: jpeg(crop(image, 0, 0, 0.03, 0)),
    "watermark": lambda image: jpeg(watermark(image)),
    "blur": lambda image: jpeg(blur(image)),
    "turned 1 degree": lambda image: jpeg(turn(image, 1)),
    "crop, light, 0.67 x, q 60": lambda image: jpeg(
        scale(light(crop(image, 0.01, 0.02, 0.02, 0), 1.05), 0.67), 60
    ),
}


# Measurements


def share(hits: Iterable[bool]) -> str:
    values = list(hits)
    return f"{100 * sum(values) / len(values):6.1f}"


def meet(one: Fingerprint, other: Fingerprint) -> bool:
    return bool(set(one.bands) & set(other.bands))


def recall_and_mistakes() -> None:
    makers = {
        "photos": photos,
        "digits": digits,
        "shapes": shapes,
        "logos": logos,
        "screens": screens,
    }
    kinds = {name: make() for name, make in makers.items()}
    originals = {name: [fingerprint(png(image)) for image in kinds[name]] for name in kinds}
    print("copies found and proven the same, % (found by a shared key, %)")
    print(f"{'edit':26}" + "".join(f"{f'{name} ({len(kinds[name])})':>18}" for name in kinds))
    total: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for edit, apply in EDITS.items():
        line = f"{edit:26}"
        for name, images in kinds.items():
            pairs = zip(originals[name], (fingerprint(apply(each)) for each in images), strict=True)
            hits = [(meet(a, b), same_picture(a.signature, b.signature)) for a, b in pairs]
            total[name] += hits
            line += f"{share(m and s for m, s in hits):>10} ({share(m for m, _ in hits).strip()})"
        print(line)
    line = f"{'all':26}"
    for name in kinds:
        both, keys = share(m and s for m, s in total[name]), share(m for m, _ in total[name])
        line += f"{both:>10} ({keys.strip()})"
    print(line)
    for name, prints in originals.items():
        pairs_of = list(combinations(prints, 2))
        wrong = sum(same_picture(a.signature, b.signature) for a, b in pairs_of)
        print(f"different {name} taken for the same: {wrong} of {len(pairs_of)}")


def look_alikes(everything: bool) -> None:
    known = load_digits()
    prints = [fingerprint(png(digit(values))) for values in known.images]
    members: dict[str, set[int]] = defaultdict(set)
    for number, each in enumerate(prints):
        for band in each.bands:
            members[band].add(number)
    met = [len(set().union(*(members[band] for band in each.bands))) - 1 for each in prints]
    print(f"candidates of a lookup among {len(prints)} digits: mean {np.mean(met):.0f}")
    pairs = [
        (int(a), int(b))
        for label in range(10)
        for a, b in combinations(np.flatnonzero(known.target == label), 2)
    ]
    if not everything:
        flat = known.data - known.data.mean(axis=1, keepdims=True)
        flat /= np.linalg.norm(flat, axis=1, keepdims=True)
        pairs = sorted(pairs, key=lambda pair: -float(flat[pair[0]] @ flat[pair[1]]))[:4000]
    start = time.perf_counter()
    wrong = [(a, b) for a, b in pairs if same_picture(prints[a].signature, prints[b].signature)]
    spent = (time.perf_counter() - start) / len(pairs)
    print(f"digits of one class taken for the same: {len(wrong)} of {len(pairs)} {wrong[:5]}")
    print(f"same_picture: {1000 * spent:.2f} ms")


def speed() -> None:
    for name, side in (("1000 x 1000", 1000), ("4096 x 4096", 4096)):
        picture = photos()[0].resize((side, side))
        for kind, image in (("JPEG", jpeg(picture)), ("PNG", png(picture))):
            if len(image) > 15 * 1024**2:
                continue
            start = time.perf_counter()
            for _ in range(3):
                fingerprint(image)
            print(f"fingerprint {name} {kind}: {(time.perf_counter() - start) / 3 * 1000:.0f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all-digits", action="store_true")
    chosen = parser.parse_args()
    recall_and_mistakes()
    look_alikes(chosen.all_digits)
    speed()
