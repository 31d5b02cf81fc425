"""The same picture again, or only a picture of the same kind: rules, limits and messages."""

import random
import struct
import zlib
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont
from skimage import data
from sklearn.datasets import load_digits

from loupe.domain.alignment import same_picture
from loupe.domain.fingerprint import SIGNATURE_BYTES, Fingerprint, fingerprint
from loupe.domain.images import MAX_BYTES, ImageFacts, UnreadableImage, decode

Edit = Callable[[Image.Image], bytes]

STABLE_BANDS = ("10-137", "11-be0", "12-35b")


def encoded(image: Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def png(image: Image.Image, **options: Any) -> bytes:
    return encoded(image, "PNG", **options)


def jpeg(image: Image.Image, quality: int = 85) -> bytes:
    return encoded(image.convert("RGB"), "JPEG", quality=quality)


# Pictures


def photo(name: str) -> Image.Image:
    pixels = getattr(data, name)()
    return Image.fromarray(pixels).convert("RGB")


@cache
def digits() -> Any:
    return load_digits()


def digit(number: int, side: int = 128) -> Image.Image:
    pixels = np.round(digits().images[number] / 16 * 255).astype(np.uint8)
    return Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST)


def logo(word: str = "Loupe", colour: str = "#b03060", shape: str = "circle") -> Image.Image:
    image = Image.new("RGB", (360, 200), "white")
    pen = ImageDraw.Draw(image)
    (pen.ellipse if shape == "circle" else pen.rectangle)((30, 50, 130, 150), fill=colour)
    pen.text((150, 70), word, fill="#203040", font=ImageFont.load_default(52))
    return image


def shape(kind: str, left: int = 70, top: int = 70, side: int = 110) -> Image.Image:
    image = Image.new("RGB", (256, 256), "white")
    pen = ImageDraw.Draw(image)
    box = (left, top, left + side, top + side)
    {"circle": pen.ellipse, "square": pen.rectangle}[kind](box, fill="#204080")
    return image


def screen(seed: int) -> Image.Image:
    dice = random.Random(seed)
    image = Image.new("RGB", (640, 400), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 640, 30), fill="#3c5aa0")
    words = ["order", "status", "total", "user", "image", "label", "ready", "queue", "price"]
    for top in range(50, 380, 24):
        line = " ".join(dice.choice(words) for _ in range(dice.randrange(5, 12)))
        pen.text((20, top), line, fill="black", font=ImageFont.load_default(14))
    return image


PICTURES: dict[str, Callable[[], Image.Image]] = {
    "photo": lambda: photo("coffee"),
    "portrait": lambda: photo("astronaut"),
    "gray photo": lambda: photo("camera"),
    "digit": lambda: digit(3),
    "small digit": lambda: digit(25, 72),
    "logo": logo,
    "shape": lambda: shape("circle"),
    "screen": lambda: screen(1),
}


# Edits


def cropped(image: Image.Image, *, left: float, top: float, right: float, bottom: float) -> bytes:
    width, height = image.size
    box = (width * left, height * top, width * (1 - right), height * (1 - bottom))
    return jpeg(image.crop(tuple(map(round, box))))  # type: ignore[arg-type]


def resized(image: Image.Image, by: float) -> Image.Image:
    by = max(by, 64 / min(image.size))
    return image.resize((round(image.width * by), round(image.height * by)))


def turned(image: Image.Image, degrees: float) -> Image.Image:
    image = image.convert("RGB")
    return image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=image.getpixel((0, 0)))


def watermarked(image: Image.Image) -> Image.Image:
    image = image.convert("RGB")
    place = (image.width * 0.68, image.height * 0.89)
    size = max(6.0, image.height / 20)
    font = ImageFont.load_default(size)
    ImageDraw.Draw(image).text(place, "© loupe", fill="#c0c0c0", font=font)
    return image


EDITS: dict[str, Edit] = {
    "JPEG 95": lambda image: jpeg(image, 95),
    "JPEG 40": lambda image: jpeg(image, 40),
    "half the size": lambda image: png(resized(image, 0.5)),
    "twice the size": lambda image: jpeg(resized(image, 2.0)),
    "10 % brighter": lambda image: jpeg(ImageEnhance.Brightness(image).enhance(1.1)),
    "10 % darker": lambda image: jpeg(ImageEnhance.Brightness(image).enhance(0.9)),
    "10 % more contrast": lambda image: jpeg(ImageEnhance.Contrast(image).enhance(1.1)),
    "10 % less contrast": lambda image: jpeg(ImageEnhance.Contrast(image).enhance(0.9)),
    "cropped all around": lambda im: cropped(im, left=0.03, top=0.03, right=0.03, bottom=0.03),
    "cropped at one side": lambda im: cropped(im, left=0.0, top=0.0, right=0.03, bottom=0.0),
    "cropped at a corner": lambda im: cropped(im, left=0.025, top=0.025, right=0, bottom=0),
    "watermark": lambda image: jpeg(watermarked(image)),
    "blurred": lambda im: jpeg(im.filter(ImageFilter.GaussianBlur(max(0.7, im.width / 200)))),
    "turned by a degree": lambda image: jpeg(turned(image, 1)),
    "several at once": lambda image: jpeg(
        resized(ImageEnhance.Brightness(turned(image, -0.4)).enhance(1.05), 0.7), 60
    ),
}


def found(one: Fingerprint, other: Fingerprint) -> bool:
    return bool(set(one.bands) & set(other.bands))


def same(one: Image.Image | bytes, other: Image.Image | bytes) -> bool:
    prints = [fingerprint(each if isinstance(each, bytes) else png(each)) for each in (one, other)]
    there = same_picture(prints[0].signature, prints[1].signature)
    back = same_picture(prints[1].signature, prints[0].signature)
    assert there == back, "symmetric"
    return there


# The same picture again


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("picture", PICTURES)
def test_an_edited_copy_is_found_and_is_the_same_picture(picture: str, edit: str) -> None:
    """Business rule: a picture re-encoded, resized or lightly edited is the same picture."""
    original = PICTURES[picture]()
    first, again = fingerprint(png(original)), fingerprint(EDITS[edit](original))
    assert found(first, again)
    assert same_picture(first.signature, again.signature)
    assert same_picture(again.signature, first.signature)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    quality=st.integers(40, 95),
    size=st.tuples(st.integers(80, 300), st.integers(80, 300)),
)
def test_a_reencoded_picture_is_the_same(seed: int, quality: int, size: tuple[int, int]) -> None:
    """Business rule: whatever it shows, a picture saved again as JPEG is the same picture."""
    dice = random.Random(seed)
    image = Image.new("RGB", size, tuple(dice.randrange(160, 256) for _ in range(3)))
    pen = ImageDraw.Draw(image)
    for _ in range(dice.randrange(8)):
        xs, ys = (sorted(dice.randrange(side) for _ in range(2)) for side in size)
        colour = tuple(dice.randrange(110) for _ in range(3))
        dice.choice((pen.ellipse, pen.rectangle))((xs[0], ys[0], xs[1], ys[1]), fill=colour)
    first, again = fingerprint(png(image)), fingerprint(jpeg(image, quality))
    assert found(first, again)
    assert same_picture(first.signature, again.signature)
    assert same_picture(again.signature, first.signature)


def test_a_fingerprint_is_small_and_stable() -> None:
    """Business rule: keys and signature fit a table row and are the same on every machine."""
    one = fingerprint(png(shape("circle")))
    assert one == fingerprint(png(shape("circle")))
    assert len(one.signature) == SIGNATURE_BYTES <= 2048
    assert 1 <= len(one.bands) <= 16
    assert all(0 < len(band) <= 32 for band in one.bands)
    assert one.bands[:3] == STABLE_BANDS, "stored keys change: raise VERSION"


# Pictures of the same kind


def nearest_digits(count: int) -> list[tuple[int, int]]:
    """The pairs of digits of one class that look most alike, as plain correlation has it."""
    values = digits().data - digits().data.mean(axis=1, keepdims=True)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    likeness = np.triu(values @ values.T, 1)
    likeness[digits().target[:, None] != digits().target[None, :]] = 0
    best = np.argsort(-likeness, axis=None)[:count]
    rows, columns = np.unravel_index(best, likeness.shape)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("side", [64, 150])
def test_look_alike_digits_are_not_the_same_picture(side: int) -> None:
    """Business rule: two handwritten threes are two pictures, however alike."""
    pairs = nearest_digits(300)
    prints = {n: fingerprint(png(digit(n, side))).signature for pair in pairs for n in pair}
    assert [pair for pair in pairs if same_picture(prints[pair[0]], prints[pair[1]])] == []


def test_a_lookup_among_digits_meets_few_candidates() -> None:
    """Business rule: a lookup stays cheap where all pictures are alike."""
    bands = [set(fingerprint(png(digit(n, 64))).bands) for n in range(300)]
    met = sum(bool(bands[i] & bands[j]) for i in range(300) for j in range(i))
    assert met / (300 * 299 / 2) < 0.10


DIFFERENT: dict[str, Callable[[], tuple[Image.Image, Image.Image]]] = {
    "two photos": lambda: (photo("coffee"), photo("chelsea")),
    "two parts of a photo": lambda: (
        photo("astronaut").crop((0, 0, 300, 300)),
        photo("astronaut").crop((60, 40, 360, 340)),
    ),
    "two shapes": lambda: (shape("circle"), shape("square")),
    "a shape moved": lambda: (shape("circle", 70), shape("circle", 100)),
    "a small shape moved": lambda: (
        shape("circle", 70, 70, 30),
        shape("circle", 150, 150, 30),
    ),
    "a shape of another size": lambda: (shape("square"), shape("square", 60, 60, 130)),
    "another word": lambda: (logo("Loupe"), logo("Nordic")),
    "another colour": lambda: (logo(colour="#b03060"), logo(colour="#3060b0")),
    "another sign": lambda: (logo(shape="circle"), logo(shape="square")),
    "two screens": lambda: (screen(1), screen(2)),
    "blank and a small mark": lambda: (blank(), blank((40, 50))),
    "two small marks": lambda: (blank((40, 50)), blank((180, 150))),
    "white and gray": lambda: (blank(), Image.new("RGB", (256, 256), "#d8d8d8")),
    "white and yellow": lambda: (blank(), Image.new("RGB", (256, 256), "#ffff80")),
    "negative": lambda: (digit(3), digit(3).point(lambda value: 255 - value)),
    "mirrored": lambda: (photo("coffee"), photo("coffee").transpose(Image.Transpose(0))),
    "upside down": lambda: (logo(), logo().rotate(180)),
    "cut in half": lambda: (photo("coffee"), photo("coffee").crop((0, 0, 300, 400))),
}


def blank(mark: tuple[int, int] | None = None) -> Image.Image:
    image = Image.new("RGB", (256, 256), "white")
    if mark:
        left, top = mark
        ImageDraw.Draw(image).rectangle((left, top, left + 9, top + 9), fill="black")
    return image


@pytest.mark.parametrize("case", DIFFERENT)
def test_pictures_of_the_same_kind_are_not_the_same_picture(case: str) -> None:
    """Business rule: likeness of kind, layout or brand does not make one picture."""
    assert not same(*DIFFERENT[case]())


def test_signatures_of_another_version_never_match() -> None:
    """Business rule: what an older release stored is not compared with another meaning."""
    new = fingerprint(png(logo())).signature
    assert not same_picture(new, b"\x00" + new[1:])
    assert not same_picture(new, b"")


# What an image file may be


def transparent(image: Image.Image) -> Image.Image:
    alpha = image.convert("L").point(lambda value: 0 if value > 250 else 255)
    image = image.copy()
    image.putalpha(alpha)
    black = Image.new("RGBA", image.size, (0, 0, 0, 0))
    return Image.composite(image, black, alpha)


def sixteen_bits(image: Image.Image) -> bytes:
    return png(Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257))


MODES: dict[str, Edit] = {
    "palette": lambda image: png(image.convert("P", palette=Image.Palette.ADAPTIVE)),
    "transparent background": lambda image: png(transparent(image)),
    "CMYK": lambda image: encoded(image.convert("CMYK"), "JPEG", quality=90),
    "with alpha": lambda image: png(image.convert("RGBA")),
}


@pytest.mark.parametrize("mode", MODES)
def test_how_pixels_are_stored_does_not_matter(mode: str) -> None:
    """Business rule: palette, CMYK and transparency (seen on white) show the same picture."""
    assert same(logo(), MODES[mode](logo()))


@pytest.mark.parametrize(
    "store",
    [
        sixteen_bits,
        lambda image: png(image.convert("L")),
        lambda image: png(image.convert("LA")),
        lambda image: encoded(image.convert("L"), "JPEG"),
    ],
)
def test_gray_pictures_are_read_at_any_depth(store: Edit) -> None:
    """Business rule: 8 or 16 bits, a gray picture is the same picture."""
    assert same(photo("camera"), store(photo("camera")))


def test_black_and_white_pixels_are_read() -> None:
    """Business rule: one bit a pixel is enough."""
    bits = shape("circle").convert("1")
    assert same(bits.convert("L"), png(bits))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_honoured(orientation: int) -> None:
    """Business rule: a picture is what a person sees, upright by its EXIF orientation."""
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = logo().transpose(back[orientation]) if orientation in back else logo()
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = encoded(stored, "JPEG", exif=exif, quality=90)
    assert decode(image)[1] == ImageFacts(360, 200, "JPEG")
    assert same(logo(), image)


def test_facts_come_from_the_content() -> None:
    """Business rule: an image is what its bytes say."""
    assert decode(jpeg(logo()))[1] == ImageFacts(360, 200, "JPEG")
    assert decode(png(logo()))[1] == ImageFacts(360, 200, "PNG")
    assert len(fingerprint(jpeg(logo())).content) == 64
    assert fingerprint(jpeg(logo())).content != fingerprint(png(logo())).content


def huge_png() -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\x00" * 1000))
        + chunk(b"IEND", b"")
    )


def flipped(image: bytes, at: float) -> bytes:
    place = int(len(image) * at)
    return image[:place] + bytes([image[place] ^ 0xFF]) + image[place + 1 :]


def plain(width: int, height: int) -> bytes:
    return png(Image.new("L", (width, height)))


REFUSED: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "empty": (lambda: b"", "empty", "Upload it again"),
    "GIF": (lambda: encoded(logo(), "GIF"), "neither a PNG nor a JPEG", "Convert it"),
    "WebP": (lambda: encoded(logo(), "WEBP"), "neither a PNG nor a JPEG", "Convert it"),
    "text": (lambda: b"hello", "neither a PNG nor a JPEG", "Convert it"),
    "too narrow": (lambda: plain(63, 200), "at least 64", "Use a larger image"),
    "too low": (lambda: plain(200, 63), "at least 64", "Use a larger image"),
    "too wide": (lambda: plain(4097, 300), "at most 4096", "Make it smaller"),
    "too tall": (lambda: plain(300, 4097), "at most 4096", "Make it smaller"),
    "too long": (lambda: plain(1300, 64), "at most 20 times", "Crop"),
    "too many bytes": (
        lambda: png(logo()) + b"\x00" * MAX_BYTES,
        "at most 15 MB",
        "make it smaller",
    ),
    "bomb": (huge_png, "4096 x 4096", "Make it smaller"),
    "half a PNG": (lambda: png(photo("coffee"))[:90_000], "PNG image is damaged", "again"),
    "half a JPEG": (lambda: jpeg(photo("coffee"))[:9_000], "JPEG image is damaged", "again"),
    "changed PNG": (lambda: flipped(png(photo("coffee")), 0.5), "PNG image is damaged", "again"),
    "only a PNG header": (lambda: png(logo())[:20], "PNG image is damaged", "upload it again"),
    "only a JPEG header": (lambda: jpeg(logo())[:12], "JPEG image is damaged", "upload it again"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_refused_with_the_limit_and_the_way_out(case: str) -> None:
    """Business rule: a refusal says what is wrong and what to do about it."""
    make, limit, way_out = REFUSED[case]
    image = make()
    for read in (decode, fingerprint):
        with pytest.raises(UnreadableImage) as refusal:
            read(image)
        assert limit in str(refusal.value)
        assert way_out in str(refusal.value)


@pytest.mark.parametrize("size", [(64, 64), (1280, 64), (64, 1280), (4096, 205)])
def test_what_is_at_the_limit_is_taken(size: tuple[int, int]) -> None:
    """Business rule: a limit is part of what is allowed."""
    assert decode(plain(*size))[1] == ImageFacts(*size, "PNG")


@settings(max_examples=60, deadline=None)
@given(at=st.floats(0, 0.999), cut=st.booleans(), as_png=st.booleans())
def test_damage_is_never_anything_but_refused_or_read(at: float, cut: bool, as_png: bool) -> None:
    """Business rule: no file, however damaged, ends in another error."""
    whole = png(logo()) if as_png else jpeg(logo())
    broken = whole[: int(len(whole) * at)] if cut else flipped(whole, at)
    try:
        fingerprint(broken)
    except UnreadableImage as refusal:
        assert str(refusal).endswith(".")
