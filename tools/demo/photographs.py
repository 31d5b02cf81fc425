"""The demo's second act: the local model sees photographs, and knows which it does not know.

The photographs are those that scikit-image brings along. Each is shown in parts, on grounds that
are photographs, too; the foreign ones are shown in the same way, and so are the bare grounds.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from loupe_local.vision import Example, Model, train

THINGS = {
    "astronaut": "astronaut",
    "cat": "chelsea",
    "coffee": "coffee",
    "motorcycle": "motorcycle_left",
    "rocket": "rocket",
}
FOREIGN = ("camera", "cell", "clock_motion", "coins", "ihc", "retina", "text")
GROUNDS = ("brick", "grass", "gravel", "moon", "page")
LABELLED = 6
UNSEEN = 8
SIDE = 256
SURE = 70.0

Rng = np.random.Generator


@dataclass(frozen=True)
class Seen:
    """An image of the stream, what it shows (None: nothing the model knows) and the answer."""

    image: Image.Image
    truth: str | None
    label: str
    confidence: float

    @property
    def accepted(self) -> bool:
        return self.confidence >= SURE


@dataclass(frozen=True)
class Act:
    """What the second act measured."""

    view: str
    answers: list[Seen]

    @property
    def figures(self) -> dict[str, int]:
        """Counts of the stream's images."""
        own = [seen for seen in self.answers if seen.truth]
        accepted = [seen for seen in own if seen.accepted]
        foreign = [seen for seen in self.answers if not seen.truth]
        return {
            "images": len(own),
            "accepted": len(accepted),
            "accepted_right": sum(seen.label == seen.truth for seen in accepted),
            "foreign": len(foreign),
            "foreign_accepted": sum(seen.accepted for seen in foreign),
        }

    def draw(self, path: Path) -> None:
        """A sheet of the stream: green was accepted, amber goes to a person."""
        shown = self.answers[:: max(1, len(self.answers) // 24)][:24]
        sheet = Image.new("RGB", (8 * 150, 3 * 172), "white")
        draw = ImageDraw.Draw(sheet)
        for index, seen in enumerate(shown):
            x, y = index % 8 * 150, index // 8 * 172
            colour = "#2e9e4f" if seen.accepted else "#d98a00"
            draw.rectangle((x + 3, y + 3, x + 146, y + 146), fill=colour)
            sheet.paste(seen.image.resize((136, 136)), (x + 7, y + 7))
            words = f"{seen.label} {seen.confidence:.0f}" if seen.accepted else "asks a person"
            draw.text((x + 7, y + 151), words, fill="black", font_size=14)
        sheet.save(path)


def perform(seed: int = 5) -> Act:
    """Train on six images a label; then read a stream of new and foreign ones."""
    rng = np.random.default_rng(seed)
    things = {label: bundled(name) for label, name in THINGS.items()}
    labelled = [
        Example(png(scene(picture, rng)), label)
        for label, picture in things.items()
        for _ in range(LABELLED)
    ]
    model = train(labelled, [])
    stream: list[tuple[Image.Image, str | None]] = [
        (scene(picture, rng), label) for label, picture in things.items() for _ in range(UNSEEN)
    ]
    foreign = [scene(bundled(name), rng) for name in FOREIGN for _ in range(2)]
    stream += [(image, None) for image in foreign + [ground(rng) for _ in GROUNDS]]
    order = rng.permutation(len(stream))
    return Act(model.view, [read(model, *stream[index]) for index in order])


def read(model: Model, image: Image.Image, truth: str | None) -> Seen:
    confidence = model.predict(png(image))
    label = max(confidence, key=lambda name: confidence[name])
    return Seen(image, truth, label, confidence[label])


def scene(picture: Image.Image, rng: Rng) -> Image.Image:
    """A part of the picture, turned a little, cut out with soft edges onto a ground."""
    share = rng.uniform(0.75, 1)
    width, height = (int(length * share) for length in picture.size)
    x, y = (
        int(rng.integers(a - b + 1)) for a, b in zip(picture.size, (width, height), strict=True)
    )
    scale = SIDE * rng.uniform(0.65, 0.9) / max(width, height)
    size = round(width * scale), round(height * scale)
    part = picture.crop((x, y, x + width, y + height)).resize(size)
    part = ImageEnhance.Brightness(part).enhance(rng.uniform(0.7, 1.3))
    mask = Image.new("L", size, 0)
    edge = 0.04 * min(size)
    inner = (edge, edge, size[0] - edge, size[1] - edge)
    ImageDraw.Draw(mask).rounded_rectangle(inner, radius=int(min(size) * 0.3), fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(edge / 2))
    angle = float(rng.normal(0, 6))
    canvas = ground(rng)
    at = (int(rng.integers(SIDE - size[0] + 1)), int(rng.integers(SIDE - size[1] + 1)))
    canvas.paste(part.rotate(angle), at, mask.rotate(angle))
    return canvas


def ground(rng: Rng) -> Image.Image:
    """A part of one of the grounds, SIDE pixels a side."""
    whole = bundled(str(rng.choice(GROUNDS)))
    side = int(min(whole.size) * rng.uniform(0.5, 1))
    x, y = (int(rng.integers(length - side + 1)) for length in whole.size)
    return whole.crop((x, y, x + side, y + side)).resize((SIDE, SIDE))


def bundled(name: str) -> Image.Image:
    """A photograph that scikit-image's package brings along."""
    (path,) = (Path(skimage.__file__).parent / "data").glob(f"{name}.*")
    return Image.open(path).convert("RGB")


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
