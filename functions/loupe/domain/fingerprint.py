"""Whether two pictures are the same picture again, not merely two pictures of the same kind.

>>> first, again = fingerprint(original_png), fingerprint(smaller_jpeg)
>>> bool(set(first.bands) & set(again.bands))        # found: one DynamoDB key is shared
>>> same_picture(first.signature, again.signature)   # proven: the thumbnails agree when aligned

How it is decided, and how well: docs/near-duplicates.md. Keys and signatures are stored, so whoever
changes what they contain raises `VERSION`.
"""

import hashlib
import math
import struct
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from itertools import compress
from operator import mul, sub
from typing import Final, Literal

from PIL import Image, ImageFilter

VERSION: Final = 1
ImageFormat = Literal["PNG", "JPEG"]

# What Rekognition Custom Labels takes.
MIN_SIDE: Final = 64
MAX_SIDE: Final = 4096
MAX_BYTES: Final = 15 * 1024**2
MAX_ASPECT: Final = 20

# What thumbnails are made from: small, and smooth enough that fine texture does not flicker.
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

# The comparison: lengths in thumbnail pixels, differences in shares of the picture's contrast.
MARGIN: Final = 2
BLOCK: Final = 4
MAX_ASPECT_CHANGE: Final = 90  # of the logarithm of width : height, in thousandths
MAX_GAIN: Final = 1.35
MAX_LIGHT_CHANGE: Final = 45.0
MAX_PLAIN_LIGHT_CHANGE: Final = 8.0  # a picture of one colour is nothing but its light
STEPS: Final = 3
USUAL_MOVES: Final = (0.5, 0.5, 0.5, 0.5, 0.3)  # shift x, shift y, stretch x, stretch y, turn
MOST_MOVES: Final = (1.2, 1.2, 1.2, 1.2, 0.6)
MIN_EXPLAINED: Final = 0.5
NOISE: Final = 0.5  # gray levels that rounding and JPEG cost
MARK_BLOCKS: Final = ((4, 2), (2, 4))
MIN_CONTRAST_OUTSIDE_MARK: Final = 0.6
MIN_FILLED: Final = 0.6


@dataclass(frozen=True)
class _Tolerance:
    overall: float
    block: float


# Differing a little all over, or a little more in one place: together, look-alikes.
EVEN: Final = _Tolerance(overall=0.085, block=0.115)
UNEVEN: Final = _Tolerance(overall=0.048, block=0.165)
OUTSIDE_MARK: Final = _Tolerance(overall=0.05, block=0.08)


class UnreadableImage(ValueError):
    """The bytes are not an image that can be used; the message says why and the way out."""


@dataclass(frozen=True)
class ImageFacts:
    """What is known of an image once it decodes, as it is displayed (EXIF orientation applied)."""

    width: int
    height: int
    format: ImageFormat


@dataclass(frozen=True)
class Fingerprint:
    """What is kept of a picture to find it again."""

    content: str
    signature: bytes
    bands: tuple[str, ...]
    width: int
    height: int
    image_format: ImageFormat


def check_image(image: bytes) -> ImageFacts:
    """The facts of an image that decodes fully and is within limits, or `UnreadableImage`."""
    return _decode(image)[1]


def fingerprint(image: bytes) -> Fingerprint:
    """What identifies this picture, or `UnreadableImage`."""
    pixels, facts = _decode(image)
    luma, blue, red = _on_white(pixels).convert("YCbCr").split()
    luma = luma.filter(ImageFilter.GaussianBlur(SMOOTHING))
    gray = _thumbnail(luma, SIDE)
    chroma = _thumbnail(blue, CHROMA_SIDE) + _thumbnail(red, CHROMA_SIDE)
    aspect = round(1000 * math.log(facts.width / facts.height))
    return Fingerprint(
        content=hashlib.sha256(image).hexdigest(),
        signature=_HEADER.pack(VERSION, aspect) + gray + chroma,
        bands=_bands(gray, _thumbnail(luma, SIDE, TRIM), chroma),
        width=facts.width,
        height=facts.height,
        image_format=facts.format,
    )


def _thumbnail(plane: Image.Image, side: int, trim: int = 0) -> bytes:
    box = (trim, trim, plane.width - trim, plane.height - trim)
    return plane.resize((side, side), Image.Resampling.BILINEAR, box).tobytes()


# Decoding


def _decode(image: bytes) -> tuple[Image.Image, ImageFacts]:
    """The pixels as stored, fully decoded, and the facts as displayed."""
    image_format = _format(image)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            if image_format == "PNG":
                Image.open(BytesIO(image), formats=("PNG",)).verify()  # checksums of all chunks
            opened = Image.open(BytesIO(image), formats=(image_format,))
        width, height = opened.size
        _check_size(width, height)
        opened.load()
    except UnreadableImage:
        raise
    except Image.DecompressionBombError as error:
        raise UnreadableImage(
            f"The image has far more pixels than the {MAX_SIDE} x {MAX_SIDE} that Rekognition "
            "takes. Make it smaller and upload it again."
        ) from error
    except _BROKEN as error:
        raise UnreadableImage(
            f"The {image_format} image is damaged or incomplete ({error}). "
            "Export or upload it again."
        ) from error
    if _orientation(opened) in _ON_ITS_SIDE:
        width, height = height, width
    return opened, ImageFacts(width, height, image_format)


_EXIF_ORIENTATION: Final = 0x0112
_ON_ITS_SIDE: Final = (5, 6, 7, 8)
_BROKEN: Final = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError,
    MemoryError, struct.error, zlib.error,
)  # fmt: skip


def _format(image: bytes) -> ImageFormat:
    if not image:
        raise UnreadableImage("The file is empty. Upload it again.")
    if len(image) > MAX_BYTES:
        raise UnreadableImage(
            f"The image has {len(image) / 1024**2:.1f} MB; Rekognition takes at most "
            f"{MAX_BYTES // 1024**2} MB. Save it as a JPEG or make it smaller."
        )
    if image.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if image.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    raise UnreadableImage(
        "The file is neither a PNG nor a JPEG image, whatever its name says. "
        "Convert it to one of the two."
    )


def _check_size(width: int, height: int) -> None:
    size = f"The image is {width} x {height} pixels"
    if min(width, height) < MIN_SIDE:
        raise UnreadableImage(
            f"{size}; Rekognition needs at least {MIN_SIDE} on each side. Use a larger image."
        )
    if max(width, height) > MAX_SIDE:
        raise UnreadableImage(
            f"{size}; Rekognition takes at most {MAX_SIDE} on each side. Make it smaller."
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise UnreadableImage(
            f"{size}; Rekognition takes at most {MAX_ASPECT} times as long as wide. "
            "Crop or split it."
        )


def _on_white(pixels: Image.Image) -> Image.Image:
    """The picture made small, as a person sees it: upright, on white, 8 bits a colour."""
    orientation = _orientation(pixels)
    if pixels.mode.startswith("I") or pixels.mode == "F":
        pixels = pixels.convert("F").point(lambda value: value * (1 / 257) + 0).convert("L")
    elif pixels.mode in ("P", "PA") or "transparency" in pixels.info:
        pixels = pixels.convert("RGBA")
    elif pixels.mode not in ("L", "LA", "RGB", "RGBA"):
        pixels = pixels.convert("RGB")
    small = pixels.resize((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BILINEAR)
    operation = _UPRIGHT.get(orientation)
    if operation is not None:
        small = small.transpose(operation)
    if small.mode in ("LA", "RGBA"):
        small = small.convert("RGBA")
        white = Image.new("RGBA", small.size, "white")
        small = Image.alpha_composite(white, small)
    return small.convert("RGB")


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; damaged EXIF data does not make a picture unreadable."""
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except _BROKEN:
        return 1


_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


# Finding: keys that the same picture shares


def _bands(gray: bytes, middle: bytes, chroma: bytes) -> tuple[str, ...]:
    """At most 16 keys: of the whole, and of its middle, which is what a slight crop leaves."""
    contrast = _contrast(gray)
    keys: list[str] = []
    if contrast >= FLAT:
        keys = [*_hashes(gray), *_hashes(middle)]
    if contrast < 2 * FLAT:
        keys = [*keys[: -len(_SHIFTS)], *_flat_keys(gray, chroma)]
    return tuple(dict.fromkeys(keys))


_SHIFTS: Final = (0, 4, 8, 12)


def _flat_keys(gray: bytes, chroma: bytes) -> list[str]:
    """Keys of a picture of little more than one colour; one of the grids has it off an edge."""
    colours = [sum(plane) / len(plane) for plane in (gray, *_halves(chroma))]
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


def _contrast(gray: Sequence[float]) -> float:
    mean = sum(gray) / len(gray)
    return math.sqrt(max(0.0, sum(map(mul, gray, gray)) / len(gray) - mean * mean))


def _halves(data: bytes) -> tuple[bytes, bytes]:
    return data[: len(data) // 2], data[len(data) // 2 :]


def _low_frequencies(gray: bytes) -> list[float]:
    """Cosine coefficients of the thumbnail, without the mean, made about equally large."""
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
    """Random hyperplanes, from a hash so that they are the same on every machine for ever."""
    size = FREQUENCIES**2 - 1
    return [
        [_signs(f"loupe {VERSION} {number} {bit}", size) for bit in range(BITS)]
        for number in range(HASHES)
    ]


def _signs(seed: str, count: int) -> list[float]:
    stream = int.from_bytes(hashlib.sha512(seed.encode()).digest())
    return [1.0 if stream >> index & 1 else -1.0 for index in range(count)]


# Proving: the thumbnails agree when aligned


def same_picture(one: bytes, other: bytes) -> bool:
    """Whether two signatures are of the same picture. Symmetric."""
    if one == other:
        return True
    # The darker one is moved onto: it is the one whose whites are not blown out.
    darker, brighter = sorted((one, other), key=lambda each: (sum(_gray(each)), each))
    return _same_shape(darker, brighter) and _agrees(darker, brighter)


def _same_shape(one: bytes, other: bytes) -> bool:
    if not len(one) == len(other) == SIGNATURE_BYTES:
        return False
    version, aspect = _header(one)
    other_version, other_aspect = _header(other)
    if version != other_version:
        return False
    return abs(aspect - other_aspect) <= MAX_ASPECT_CHANGE


def _header(signature: bytes) -> tuple[int, int]:
    version, aspect = _HEADER.unpack_from(signature)
    return int(version), int(aspect)


def _agrees(one: bytes, other: bytes) -> bool:
    """Whether `other` is `one` after a small move and another light, but for a small mark."""
    fit = _fit(one, other, _EVERYWHERE)
    if fit is None or not _same_light(fit) or not _same_colours(one, other, fit.gain):
        return False
    if fit.convinces() or (fit.within(EVEN, slack=2) and _agrees_backwards(one, other)):
        return True
    if min(_filled(one), _filled(other)) < MIN_FILLED:
        return False
    mark = _mark(fit.rest)
    if not fit.without(mark).within(EVEN, slack=2):
        return False
    again = _fit(one, other, mark)
    return (
        again is not None
        and _same_light(again)
        and again.contrast >= MIN_CONTRAST_OUTSIDE_MARK * again.gain * _contrast(_inner(_gray(one)))
        and again.within(OUTSIDE_MARK)
    )


def _filled(signature: bytes) -> float:
    """The share of blocks that show something: little in a drawing, most in a photo or a text.

    On a drawing a small difference is no watermark: it is the other word beside the same sign.
    """
    values = _inner(_gray(signature))
    sums, squares = _block_sums(values), _block_sums(list(map(mul, values, values)))
    least = (0.05 * _contrast(values)) ** 2
    spreads = [
        square / BLOCK**2 - (total / BLOCK**2) ** 2
        for total, square in zip(sums, squares, strict=True)
    ]
    return sum(spread > least for spread in spreads) / len(spreads)


def _agrees_backwards(one: bytes, other: bytes) -> bool:
    back = _fit(other, one, _EVERYWHERE)
    return back is not None and back.convinces()


@dataclass(frozen=True)
class _Fit:
    """How one thumbnail was turned into another, and what that leaves unexplained."""

    rest: list[float]
    area: int
    gain: float
    brighter: float
    contrast: float
    colour: float

    @property
    def scale(self) -> float:
        """What tolerances are shares of; JPEG lets a little of the colours into the gray."""
        return max(self.contrast, 0.4 * self.colour)

    def within(self, tolerance: _Tolerance, slack: float = 1) -> bool:
        overall = math.sqrt(sum(map(mul, self.rest, self.rest)) / self.area)
        if overall > slack * math.hypot(tolerance.overall * self.scale, NOISE):
            return False
        worst = max(map(abs, _block_sums(self.rest))) / BLOCK**2
        return worst <= slack * (tolerance.block * self.scale + NOISE)

    def convinces(self) -> bool:
        return self.within(EVEN) or self.within(UNEVEN)

    def without(self, keep: tuple[bool, ...]) -> "_Fit":
        return replace(self, rest=list(map(mul, self.rest, keep)), area=sum(keep))


def _same_light(fit: _Fit) -> bool:
    plain = fit.contrast < FLAT
    if abs(fit.brighter) > (MAX_PLAIN_LIGHT_CHANGE if plain else MAX_LIGHT_CHANGE):
        return False
    return 1 / MAX_GAIN <= fit.gain <= MAX_GAIN


def _same_colours(one: bytes, other: bytes, gain: float) -> bool:
    """Whether colours agree, as far as JPEG and small moves let them."""
    ours = [gain * (value - 128) for value in _chroma(one)]
    change = [value - 128 - our for value, our in zip(_chroma(other), ours, strict=True)]
    overall = math.hypot(*change) <= 2.5 * math.sqrt(len(ours)) + 0.15 * math.hypot(*ours)
    return overall and max(map(abs, change)) <= 10.0 + 0.22 * max(map(abs, ours))


def _gray(signature: bytes) -> bytes:
    return signature[_HEADER.size : _HEADER.size + SIDE**2]


def _chroma(signature: bytes) -> bytes:
    return signature[_HEADER.size + SIDE**2 :]


_INNER: Final = SIDE - 2 * MARGIN
_BLOCKS: Final = _INNER // BLOCK
_EVERYWHERE: Final = (True,) * _INNER**2
_AXIS: Final = [(place - (SIDE - 1) / 2) / (SIDE / 2) for place in range(MARGIN, SIDE - MARGIN)]
_XS: Final = _AXIS * _INNER
_YS: Final = [y for y in _AXIS for _ in range(_INNER)]


def _colour(signature: bytes) -> float:
    """How much the colours vary."""
    return math.hypot(*map(_contrast, _halves(_chroma(signature))))


def _fit(one: bytes, other: bytes, keep: tuple[bool, ...]) -> _Fit | None:
    """Move `other` onto `one` (Gauss and Newton's least squares) and compare where `keep` says."""
    regressors, normal = _prepared(_gray(one), keep)
    model = list(compress(_inner(_gray(one)), keep))
    picture = Image.frombytes("L", (SIDE, SIDE), _gray(other)).convert("F")
    moves = [0.0] * len(USUAL_MOVES)
    seen = _inner(_gray(other))
    for step in range(STEPS):
        kept = list(compress(seen, keep))
        mean = sum(kept) / len(kept)
        target = [value - mean for value in kept]
        right = [sum(map(mul, regressor, target)) for regressor in regressors]
        gain, *slopes = solution = _solve(normal, right)
        variation = sum(map(mul, target, target))
        unexplained = variation - sum(map(mul, solution, right))
        noise = len(target) * NOISE**2
        flat = variation <= noise
        if step == 0 and unexplained > MIN_EXPLAINED * variation + noise:
            return None
        if flat or gain < 1 / MAX_GAIN / 2:
            break
        for i, slope in enumerate(slopes):
            moves[i] = max(-MOST_MOVES[i], min(MOST_MOVES[i], moves[i] - slope / gain))
        seen = _moved(picture, moves)
    return _compare(model, list(compress(seen, keep)), keep, _colour(one))


def _compare(model: list[float], seen: list[float], keep: tuple[bool, ...], colour: float) -> _Fit:
    """What of `seen` is not `model` in another light, which may have blown out the whites."""
    pairs = list(zip(model, seen, strict=True))
    fits = [_relit(pairs, pairs)]
    lit = [(m, s) for m, s in pairs if 6 < s < 249] if max(seen) > 249 else []
    if len(lit) * 8 > len(pairs):
        fits.append(_relit(pairs, lit))
    _, gain, rest = min(fits)
    places = iter(rest)
    return _Fit(
        rest=[next(places) if kept else 0.0 for kept in keep],
        area=len(rest),
        gain=gain,
        brighter=(sum(seen) - sum(model)) / len(rest),
        contrast=gain * _contrast(model),
        colour=colour,
    )


def _relit(
    pairs: Sequence[tuple[float, float]], sample: Sequence[tuple[float, float]]
) -> tuple[float, float, list[float]]:
    """How far off the light of a sample is, its gain, and what it leaves of every pair."""
    gain, base = _light(sample)
    rest = [s - (gain * m + base) for m, s in pairs]
    if gain * 255 + base > 265:  # whites are blown out: what should be and is bright, agrees
        rest = [
            0.0 if s > 200 and s - off > 230 else off
            for off, (_, s) in zip(rest, pairs, strict=True)
        ]
    return sum(map(mul, rest, rest)), gain, rest


def _light(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Gain and offset that turn the first of each pair into the second, by least squares."""
    xs, ys = zip(*pairs, strict=True)
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum(map(mul, xs, xs)) - mean_x * mean_x * len(xs)
    together = sum(map(mul, xs, ys)) - mean_x * mean_y * len(xs)
    doubt = len(xs) * (2 * NOISE) ** 2  # without contrast nothing is known of the gain
    gain = (together + doubt) / (spread + doubt)
    return gain, mean_y - gain * mean_x


def _mark(rest: Sequence[float]) -> tuple[bool, ...]:
    """Everywhere but the small rectangle that holds most of what differs."""
    energy = _block_sums(list(map(mul, rest, rest)))
    places = [
        (left, top, left + wide, top + high)
        for wide, high in MARK_BLOCKS
        for left in range(_BLOCKS - wide + 1)
        for top in range(_BLOCKS - high + 1)
    ]
    left, top, right, bottom = max(
        places,
        key=lambda box: sum(
            sum(energy[row * _BLOCKS + box[0] : row * _BLOCKS + box[2]])
            for row in range(box[1], box[3])
        ),
    )
    return tuple(
        not (left <= x // BLOCK < right and top <= y // BLOCK < bottom)
        for y in range(_INNER)
        for x in range(_INNER)
    )


def _block_sums(values: Sequence[float]) -> list[float]:
    rows = [sum(values[start : start + BLOCK]) for start in range(0, len(values), BLOCK)]
    return [
        sum(rows[(top + row) * _BLOCKS + left] for row in range(BLOCK))
        for top in range(0, _INNER, BLOCK)
        for left in range(_BLOCKS)
    ]


@lru_cache(maxsize=8)
def _prepared(gray: bytes, keep: tuple[bool, ...]) -> tuple[list[list[float]], list[list[float]]]:
    """How the thumbnail changes with contrast and with each move, and their products."""
    columns = [list(compress(column, keep)) for column in _regressors(gray)]
    count = len(columns[0])
    mean = sum(columns[0]) / count
    columns[0] = [value - mean for value in columns[0]]
    size = len(columns)
    normal = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i, size):
            normal[i][j] = normal[j][i] = sum(map(mul, columns[i], columns[j]))
    doubt = 0.01 * normal[0][0] + count * NOISE**2 / 4  # the more, the less it is moved
    normal[0][0] += 1e-6
    for i, usual in enumerate(USUAL_MOVES, start=1):
        normal[i][i] += doubt / 16 / usual**2
    return columns, normal


def _regressors(gray: bytes) -> list[list[float]]:
    """The thumbnail and its slopes along each of the moves."""
    across: list[float] = []
    down: list[float] = []
    for y in range(MARGIN, SIDE - MARGIN):
        start, end = y * SIDE + MARGIN, (y + 1) * SIDE - MARGIN
        left, right = gray[start - 1 : end - 1], gray[start + 1 : end + 1]
        above, below = gray[start - SIDE : end - SIDE], gray[start + SIDE : end + SIDE]
        across += [(b - a) / 2 for a, b in zip(left, right, strict=True)]
        down += [(b - a) / 2 for a, b in zip(above, below, strict=True)]
    stretch_x, stretch_y = list(map(mul, _XS, across)), list(map(mul, _YS, down))
    turn = list(map(sub, map(mul, _YS, across), map(mul, _XS, down)))
    return [_inner(gray), across, down, stretch_x, stretch_y, turn]


def _inner(gray: bytes) -> list[float]:
    return [
        float(value)
        for y in range(MARGIN, SIDE - MARGIN)
        for value in gray[y * SIDE + MARGIN : (y + 1) * SIDE - MARGIN]
    ]


def _moved(picture: Image.Image, moves: Sequence[float]) -> list[float]:
    """The inner pixels after the moves, which are in thumbnail pixels at the edge."""
    shift_x, shift_y, stretch_x, stretch_y, turn = (move / (SIDE / 2) for move in moves)
    half = SIDE / 2
    a, b, d, e = 1 + stretch_x, turn, -turn, 1 + stretch_y
    c = half * (1 - a - b + shift_x)
    f = half * (1 - d - e + shift_y)
    moved = picture.transform(
        picture.size, Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BICUBIC
    )
    inner = moved.crop((MARGIN, MARGIN, SIDE - MARGIN, SIDE - MARGIN))
    return list(struct.unpack(f"={_INNER * _INNER}f", inner.tobytes()))


def _solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """Gauss elimination; the matrix is symmetric and, by its prior, positive."""
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for i in range(size):
        for below in range(i + 1, size):
            factor = rows[below][i] / rows[i][i]
            rows[below] = [p - factor * q for p, q in zip(rows[below], rows[i], strict=True)]
    answer = [0.0] * size
    for i in reversed(range(size)):
        known = sum(rows[i][j] * answer[j] for j in range(i + 1, size))
        answer[i] = (rows[i][size] - known) / rows[i][i]
    return answer
