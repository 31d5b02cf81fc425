"""Whether two signatures are of the same picture: their thumbnails agree when aligned.

The method and its measured accuracy: docs/near-duplicates.md.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import compress
from operator import mul, sub
from typing import Final

from PIL import Image

from loupe.domain.fingerprint import (
    FLAT,
    SIDE,
    SIGNATURE_BYTES,
    chroma_of,
    contrast_of,
    gray_of,
    halves,
    header_of,
)

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


# Copies differ a little everywhere, or a little more in one block; look-alikes differ in both ways.
EVEN: Final = _Tolerance(overall=0.085, block=0.115)
UNEVEN: Final = _Tolerance(overall=0.048, block=0.165)
OUTSIDE_MARK: Final = _Tolerance(overall=0.05, block=0.08)


def same_picture(one: bytes, other: bytes) -> bool:
    """Whether two signatures are of the same picture. Symmetric."""
    if one == other:
        return True
    # The brighter one is aligned with the darker one, whose whites are not blown out.
    darker, brighter = sorted((one, other), key=lambda each: (sum(gray_of(each)), each))
    return _same_shape(darker, brighter) and _agrees(darker, brighter)


def _same_shape(one: bytes, other: bytes) -> bool:
    if not len(one) == len(other) == SIGNATURE_BYTES:
        return False
    version, aspect = header_of(one)
    other_version, other_aspect = header_of(other)
    if version != other_version:
        return False
    return abs(aspect - other_aspect) <= MAX_ASPECT_CHANGE


def _agrees(one: bytes, other: bytes) -> bool:
    """Whether `other` is `one` after a small move and another light, except for a small mark."""
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
        and again.contrast
        >= MIN_CONTRAST_OUTSIDE_MARK * again.gain * contrast_of(_inner(gray_of(one)))
        and again.within(OUTSIDE_MARK)
    )


def _filled(signature: bytes) -> float:
    """The share of blocks with contrast: small in a drawing, large in a photo or a text.

    A small difference in a drawing is no watermark, but for example another word beside a sign.
    """
    values = _inner(gray_of(signature))
    sums, squares = _block_sums(values), _block_sums(list(map(mul, values, values)))
    least = (0.05 * contrast_of(values)) ** 2
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
    """The alignment of one thumbnail with another, and the difference that remains."""

    rest: list[float]
    area: int
    gain: float
    brighter: float
    contrast: float
    colour: float

    @property
    def scale(self) -> float:
        """The base of relative tolerances; JPEG mixes a little of the colours into the gray."""
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
    """Whether colours agree, within the errors of JPEG and of small moves."""
    ours = [gain * (value - 128) for value in chroma_of(one)]
    change = [value - 128 - our for value, our in zip(chroma_of(other), ours, strict=True)]
    overall = math.hypot(*change) <= 2.5 * math.sqrt(len(ours)) + 0.15 * math.hypot(*ours)
    return overall and max(map(abs, change)) <= 10.0 + 0.22 * max(map(abs, ours))


_INNER: Final = SIDE - 2 * MARGIN
_BLOCKS: Final = _INNER // BLOCK
_EVERYWHERE: Final = (True,) * _INNER**2
_AXIS: Final = [(pixel - (SIDE - 1) / 2) / (SIDE / 2) for pixel in range(MARGIN, SIDE - MARGIN)]
_XS: Final = _AXIS * _INNER
_YS: Final = [y for y in _AXIS for _ in range(_INNER)]


def _colour(signature: bytes) -> float:
    """The variation of the colours."""
    return math.hypot(*map(contrast_of, halves(chroma_of(signature))))


def _fit(one: bytes, other: bytes, keep: tuple[bool, ...]) -> _Fit | None:
    """Align `other` with `one` (Gauss-Newton least squares) and compare the pixels of `keep`."""
    regressors, normal = _prepared(gray_of(one), keep)
    model = list(compress(_inner(gray_of(one)), keep))
    picture = Image.frombytes("L", (SIDE, SIDE), gray_of(other)).convert("F")
    moves = [0.0] * len(USUAL_MOVES)
    pixels = _inner(gray_of(other))
    for step in range(STEPS):
        kept = list(compress(pixels, keep))
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
        pixels = _moved(picture, moves)
    return _compare(model, list(compress(pixels, keep)), keep, _colour(one))


def _compare(
    model: list[float], pixels: list[float], keep: tuple[bool, ...], colour: float
) -> _Fit:
    """The difference of `pixels` from `model` in another light, which may blow out the whites."""
    pairs = list(zip(model, pixels, strict=True))
    fits = [_relit(pairs, pairs)]
    lit = [(m, s) for m, s in pairs if 6 < s < 249] if max(pixels) > 249 else []
    if len(lit) * 8 > len(pairs):
        fits.append(_relit(pairs, lit))
    _, gain, rest = min(fits)
    differences = iter(rest)
    return _Fit(
        rest=[next(differences) if kept else 0.0 for kept in keep],
        area=len(rest),
        gain=gain,
        brighter=(sum(pixels) - sum(model)) / len(rest),
        contrast=gain * contrast_of(model),
        colour=colour,
    )


def _relit(
    pairs: Sequence[tuple[float, float]], sample: Sequence[tuple[float, float]]
) -> tuple[float, float, list[float]]:
    """The squared error of a sample's light on all pairs, its gain, and the error of each pair."""
    gain, base = _light(sample)
    rest = [s - (gain * m + base) for m, s in pairs]
    if gain * 255 + base > 265:  # whites are blown out: two bright pixels agree
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
    doubt = len(xs) * (2 * NOISE) ** 2  # without contrast the gain stays near 1
    gain = (together + doubt) / (spread + doubt)
    return gain, mean_y - gain * mean_x


def _mark(rest: Sequence[float]) -> tuple[bool, ...]:
    """All pixels except the small rectangle with the largest difference."""
    energy = _block_sums(list(map(mul, rest, rest)))
    rectangles = [
        (left, top, left + wide, top + high)
        for wide, high in MARK_BLOCKS
        for left in range(_BLOCKS - wide + 1)
        for top in range(_BLOCKS - high + 1)
    ]
    left, top, right, bottom = max(
        rectangles,
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
    """The thumbnail's derivatives by contrast and by each move, and their products."""
    columns = [list(compress(column, keep)) for column in _regressors(gray)]
    count = len(columns[0])
    mean = sum(columns[0]) / count
    columns[0] = [value - mean for value in columns[0]]
    size = len(columns)
    normal = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i, size):
            normal[i][j] = normal[j][i] = sum(map(mul, columns[i], columns[j]))
    doubt = 0.01 * normal[0][0] + count * NOISE**2 / 4  # the larger, the smaller the moves
    normal[0][0] += 1e-6
    for i, usual in enumerate(USUAL_MOVES, start=1):
        normal[i][i] += doubt / 16 / usual**2
    return columns, normal


def _regressors(gray: bytes) -> list[list[float]]:
    """The thumbnail and its derivative by each move."""
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
    """Gaussian elimination; the matrix is symmetric and, by its prior, positive definite."""
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for i in range(size):
        for below in range(i + 1, size):
            factor = rows[below][i] / rows[i][i]
            rows[below] = [p - factor * q for p, q in zip(rows[below], rows[i], strict=True)]
    solution = [0.0] * size
    for i in reversed(range(size)):
        solved = sum(rows[i][j] * solution[j] for j in range(i + 1, size))
        solution[i] = (rows[i][size] - solved) / rows[i][i]
    return solution
