"""Recognises copies of one picture, as opposed to two similar pictures.

>>> first, again = fingerprint(original_png), fingerprint(smaller_jpeg)
>>> bool(set(first.bands) & set(again.bands))        # a candidate: they share a DynamoDB key
>>> same_picture(first.signature, again.signature)   # the decision: see `alignment`

The method and its measured accuracy: docs/near-duplicates.md. Bands and signatures are stored, so a
change of their content needs a new `VERSION`.
"""

import hashlib
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import mul
from typing import Final

from PIL import Image, ImageFilter

from loupe.domain.images import decode, orientation

VERSION: Final = 1

# The source of thumbnails: small, and too smooth for fine texture to cause differences.
WORKING_SIDE: Final = 128
SMOOTHING: Final = 3
TRIM: Final = 4

# The signature: a header, a gray thumbnail and two coarse colour planes.
SIDE: Final = 32
CHROMA_SIDE: Final = 8
_HEADER: Final = struct.Struct(">Bh")
SIGNATURE_BYTES: Final = _HEADER.size + SIDE**2 + 2 * CHROMA_SIDE**2

# The bands: signs of random projections of low frequencies, of the picture and of its middle.
FREQUENCIES: Final = 7
HASHES: Final = 8
BITS: Final = 12
FLAT: Final = 0.7


@dataclass(frozen=True)
class Fingerprint:
    """The stored data that identifies a picture."""

    content: str
    signature: bytes
    bands: tuple[str, ...]


def fingerprint(image: bytes) -> Fingerprint:
    """The fingerprint of an image; raises UnreadableImage."""
    pixels, facts = decode(image)
    luma, blue, red = _on_white(pixels).convert("YCbCr").split()
    luma = luma.filter(ImageFilter.GaussianBlur(SMOOTHING))
    gray = _thumbnail(luma, SIDE)
    chroma = _thumbnail(blue, CHROMA_SIDE) + _thumbnail(red, CHROMA_SIDE)
    aspect = round(1000 * math.log(facts.width / facts.height))
    return Fingerprint(
        content=hashlib.sha256(image).hexdigest(),
        signature=_HEADER.pack(VERSION, aspect) + gray + chroma,
        bands=_bands(gray, _thumbnail(luma, SIDE, TRIM), chroma),
    )


def thumbnail(image: bytes) -> bytes:
    """Gray and two colour planes of 8 x 8 pixels, 192 bytes, which tell kinds of pictures apart;
    raises UnreadableImage.
    """
    pixels, _ = decode(image)
    planes = _on_white(pixels).convert("YCbCr").split()
    return b"".join(_thumbnail(plane, CHROMA_SIDE) for plane in planes)


def _thumbnail(plane: Image.Image, side: int, trim: int = 0) -> bytes:
    box = (trim, trim, plane.width - trim, plane.height - trim)
    return plane.resize((side, side), Image.Resampling.BILINEAR, box).tobytes()


def _on_white(pixels: Image.Image) -> Image.Image:
    """A small copy of the picture as people see it: upright, on white, 8 bits a colour."""
    turned = orientation(pixels)
    if pixels.mode.startswith("I") or pixels.mode == "F":
        pixels = pixels.convert("F").point(lambda value: value * (1 / 257) + 0).convert("L")
    elif pixels.mode in ("P", "PA") or "transparency" in pixels.info:
        pixels = pixels.convert("RGBA")
    elif pixels.mode not in ("L", "LA", "RGB", "RGBA"):
        pixels = pixels.convert("RGB")
    small = pixels.resize((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BILINEAR)
    operation = _UPRIGHT.get(turned)
    if operation is not None:
        small = small.transpose(operation)
    if small.mode in ("LA", "RGBA"):
        small = small.convert("RGBA")
        white = Image.new("RGBA", small.size, "white")
        small = Image.alpha_composite(white, small)
    return small.convert("RGB")


_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _bands(gray: bytes, middle: bytes, chroma: bytes) -> tuple[str, ...]:
    """At most 16 keys: of the whole, and of its middle, which a slight crop leaves."""
    contrast = contrast_of(gray)
    keys: list[str] = []
    if contrast >= FLAT:
        keys = [*_hashes(gray), *_hashes(middle)]
    if contrast < 2 * FLAT:
        keys = [*keys[: -len(_SHIFTS)], *_flat_keys(gray, chroma)]
    return tuple(dict.fromkeys(keys))


_SHIFTS: Final = (0, 4, 8, 12)


def _flat_keys(gray: bytes, chroma: bytes) -> list[str]:
    """Keys of a picture with hardly more than one colour, on grids that are shifted so that the
    colour is not near an edge of all of them."""
    colours = [sum(plane) / len(plane) for plane in (gray, *halves(chroma))]
    return [
        f"{VERSION}flat{shift}" + "".join(f"-{int(colour + shift) // 16}" for colour in colours)
        for shift in _SHIFTS
    ]


def _hashes(gray: bytes) -> list[str]:
    features = _low_frequencies(gray)
    keys = []
    for number, planes in enumerate(_planes()):
        key = 0
        for plane in planes:
            key = key << 1 | (sum(map(mul, plane, features)) > 0)
        keys.append(f"{VERSION}{number:x}-{key:x}")
    return keys


def contrast_of(gray: Sequence[float]) -> float:
    mean = sum(gray) / len(gray)
    return math.sqrt(max(0.0, sum(map(mul, gray, gray)) / len(gray) - mean * mean))


def halves(data: bytes) -> tuple[bytes, bytes]:
    return data[: len(data) // 2], data[len(data) // 2 :]


def _low_frequencies(gray: bytes) -> list[float]:
    """Cosine coefficients of the thumbnail without the mean, scaled to similar size."""
    waves = _cosines()
    rows = [gray[start : start + SIDE] for start in range(0, len(gray), SIDE)]
    across = [[sum(map(mul, wave, row)) for row in rows] for wave in waves]
    return [
        sum(map(mul, waves[v], across[u])) * math.pow(u * u + v * v, 0.75)
        for u in range(FREQUENCIES)
        for v in range(FREQUENCIES)
        if u + v > 0
    ]


@lru_cache(maxsize=1)
def _cosines() -> list[list[float]]:
    return [
        [
            math.cos(math.pi * u * (2 * x + 1) / (2 * SIDE)) * (1.0 if u else math.sqrt(0.5))
            for x in range(SIDE)
        ]
        for u in range(FREQUENCIES)
    ]


@lru_cache(maxsize=1)
def _planes() -> list[list[list[float]]]:
    """Random hyperplanes, from a hash, so that they are the same on every machine."""
    size = FREQUENCIES**2 - 1
    return [
        [_signs(f"loupe {VERSION} {number} {bit}", size) for bit in range(BITS)]
        for number in range(HASHES)
    ]


def _signs(seed: str, count: int) -> list[float]:
    stream = int.from_bytes(hashlib.sha512(seed.encode()).digest())
    return [1.0 if stream >> index & 1 else -1.0 for index in range(count)]


def header_of(signature: bytes) -> tuple[int, int]:
    version, aspect = _HEADER.unpack_from(signature)
    return int(version), int(aspect)


def gray_of(signature: bytes) -> bytes:
    return signature[_HEADER.size : _HEADER.size + SIDE**2]


def chroma_of(signature: bytes) -> bytes:
    return signature[_HEADER.size + SIDE**2 :]
