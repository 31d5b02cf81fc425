"""How well the local model sees photographs: eight labels, six images a label to train on.

    python -m benchmarks.photographs [--seeds 3]

The photographs are those of Debian's package `tuxpaint-stamps-default` (GPL-2), which whoever runs
this installs; nothing of it is part of Loupe. They are cut out, and shown on white, and on
scikit-image's photographs as grounds. Foreign images are cut-outs of other things, shown in the
same ways, the bare grounds, and scikit-image's photographs.
"""

import argparse
import io
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import f1_score

from loupe_local.vision import Example, Model, train

STAMPS = Path(os.environ.get("LOUPE_STAMPS", "/usr/share/tuxpaint/stamps"))
MISSING = "tuxpaint-stamps-default is not installed: apt-get install tuxpaint-stamps-default"
LABELS = {
    "bird": "animals/birds",
    "bovine": "animals/mammals/bovines",
    "fish": "animals/fish",
    "flower": "plants/flowers",
    "fruit": "food/fruit",
    "insect": "animals/insects",
    "tool": "household/tools",
    "vegetable": "food/vegetables",
}
FOREIGN = (
    "animals/mammals/cats",
    "animals/mammals/rodents",
    "clothes/hats",
    "hobbies/music/string",
    "household",
    "household/dishes",
    "medical",
    "space/planets",
    "sports",
    "town/roadsigns",
    "vehicles/auto",
    "vehicles/construction",
)
GROUNDS = ("brick", "grass", "gravel", "coins", "moon", "page", "text", "cell")
PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "coffee", "ihc", "motorcycle_left", "rocket")
TRAINED = 6
SURE = 70.0
SIDE = 320

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Answers:
    """The top label and its confidence of some images."""

    labels: list[str]
    sure: NDArray[np.bool_]


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def cut_outs(folder: str) -> list[Image.Image]:
    return [Image.open(path).convert("RGBA") for path in sorted((STAMPS / folder).glob("*.png"))]


def bundled(name: str) -> Image.Image:
    """A photograph that scikit-image's package brings along."""
    (path,) = (Path(skimage.__file__).parent / "data").glob(f"{name}.*")
    return Image.open(path).convert("RGB")


def on_white(cut_out: Image.Image, _rng: np.random.Generator) -> bytes:
    canvas = Image.new("RGBA", cut_out.size, "white")
    canvas.alpha_composite(cut_out)
    return png(canvas)


def ground(rng: np.random.Generator) -> Image.Image:
    """A part of a photograph, of SIDE x SIDE pixels."""
    whole = bundled(str(rng.choice(GROUNDS)))
    side = int(min(whole.size) * rng.uniform(0.5, 1))
    x, y = (int(rng.integers(length - side + 1)) for length in whole.size)
    return whole.crop((x, y, x + side, y + side)).resize((SIDE, SIDE))


def on_ground(cut_out: Image.Image, rng: np.random.Generator) -> bytes:
    canvas = ground(rng).convert("RGBA")
    scale = SIDE * rng.uniform(0.55, 0.9) / max(cut_out.size)
    width, height = (max(1, round(length * scale)) for length in cut_out.size)
    x, y = (int(rng.integers(SIDE - length + 1)) for length in (width, height))
    canvas.alpha_composite(cut_out.resize((width, height)), (x, y))
    return png(canvas)


def ask(model: Model, images: Sequence[bytes]) -> Answers:
    labels, sure = [], []
    for image in images:
        confidence = model.predict(image)
        label = max(confidence, key=lambda name: confidence[name])
        labels.append(label)
        sure.append(confidence[label] >= SURE)
    return Answers(labels, np.array(sure))


def measure(seed: int, on_grounds: bool) -> dict[str, object]:
    """Trains on six images a label, and asks about all others, and about foreign ones."""
    rng = np.random.default_rng(seed)
    show = on_ground if on_grounds else on_white
    training, unseen = [], []
    for label, folder in LABELS.items():
        pictures = cut_outs(folder)
        examples = [Example(show(pictures[i], rng), label) for i in rng.permutation(len(pictures))]
        training += examples[:TRAINED]
        unseen += examples[TRAINED:]
    foreign = [show(cut_out, rng) for folder in FOREIGN for cut_out in cut_outs(folder)]
    foreign += [png(bundled(name)) for name in PHOTOGRAPHS]
    foreign += [png(ground(rng)) for _ in range(40 if on_grounds else 0)]
    foreign += [png(bundled(name)) for name in GROUNDS]
    started = time.perf_counter()
    model = train(training, [])
    seconds = time.perf_counter() - started
    truth = [example.label for example in unseen]
    started = time.perf_counter()
    answers = ask(model, [example.image for example in unseen])
    each = (time.perf_counter() - started) / len(unseen)
    right = np.array([label == true for label, true in zip(answers.labels, truth, strict=True)])
    return {
        "view": model.view,
        "f1": float(f1_score(truth, answers.labels, average="macro")),
        "share_above_70": float(answers.sure.mean()),
        "right_above_70": float(right[answers.sure].mean()) if answers.sure.any() else 0.0,
        "foreign_above_70": float(ask(model, foreign).sure.mean()),
        "tested": len(unseen),
        "foreign": len(foreign),
        "seconds_to_train": seconds,
        "milliseconds_to_detect": each * 1000,
    }


def photographs(seed: int) -> dict[str, Any]:
    """Figures on white, and below `on_grounds` the same on grounds.

    `skipped` says why there are none.
    """
    if not STAMPS.is_dir():
        return {"skipped": MISSING}
    return measure(seed, False) | {"on_grounds": measure(seed, True)}


def average(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The mean of each figure over seeds; `skipped` as in each of them."""
    if "skipped" in results[0]:
        return results[0]
    found: dict[str, Any] = {"seeds": len(results)}
    for name, value in results[0].items():
        values = [result[name] for result in results]
        if isinstance(value, dict):
            found[name] = average(values)
        else:
            found[name] = ", ".join(values) if name == "view" else mean(values)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    results: list[dict[str, Any]] = [photographs(seed) for seed in range(parser.parse_args().seeds)]
    if "skipped" in results[0]:
        print(results[0]["skipped"])
        return
    on_grounds = [result.pop("on_grounds") for result in results]
    for title, rows in (("on white", results), ("on grounds", on_grounds)):
        print(f"\nphotographs, {title} ({len(rows)} seeds)")
        for name in rows[0]:
            values = [row[name] for row in rows]
            if name == "view":
                print(f"  {name:24} {', '.join(values)}")
            else:
                low, high = min(values), max(values)
                print(f"  {name:24} mean {mean(values):7.3f}  from {low:7.3f} to {high:7.3f}")


if __name__ == "__main__":
    main()
