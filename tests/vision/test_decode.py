"""What is read of a PNG or JPEG."""

import io

import numpy as np
import pytest
from PIL import Image

from loupe_local.vision import VisionError
from loupe_local.vision.decode import AREA, LONGEST, decode

from .drawn import CLEAR, RED, WHITE, encode, ring


def test_transparency_is_composed_on_white() -> None:
    picture = decode(encode(ring(RED, CLEAR, side=64)))
    assert picture[0, 0].tolist() == [255, 255, 255]


def test_a_transparent_logo_reads_as_the_same_logo_on_white() -> None:
    clear, white = (decode(encode(ring(RED, ground))) for ground in (CLEAR, WHITE))
    assert np.abs(clear.astype(int) - white.astype(int)).mean() < 2


def test_a_white_logo_on_transparency_is_still_seen() -> None:
    assert np.ptp(decode(encode(ring(WHITE, CLEAR)))) > 100


def test_exif_orientation_is_honoured() -> None:
    upright = ring(RED).convert("RGB").resize((60, 120))
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    upright.rotate(90, expand=True).save(buffer, "JPEG", exif=exif, quality=95)
    read = decode(buffer.getvalue())
    assert read.shape == (120, 60, 3)
    assert np.abs(read.astype(int) - np.asarray(upright).astype(int)).mean() < 6


@pytest.mark.parametrize("size", [(1280, 64), (64, 1280), (4096, 205), (2000, 2000), (1, 1)])
def test_large_and_long_images_are_read_small(size: tuple[int, int]) -> None:
    height, width, _ = decode(encode(Image.new("RGB", size, "red"))).shape
    assert height * width <= AREA * 1.1 and max(height, width) <= LONGEST


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_png_is_read(mode: str) -> None:
    image = Image.fromarray(np.zeros((9, 9), dtype=np.uint16))
    stored = image if mode == "I;16" else Image.new("RGB", (9, 9)).convert(mode)
    assert decode(encode(stored)).shape == (9, 9, 3)


@pytest.mark.parametrize("broken", [b"", b"not an image", encode(ring(RED))[:200]])
def test_what_cannot_be_decoded_is_a_vision_error(broken: bytes) -> None:
    with pytest.raises(VisionError, match="cannot be decoded"):
        decode(broken)


def test_a_gif_is_refused() -> None:
    with pytest.raises(VisionError):
        decode(encode(Image.new("RGB", (64, 64)), "GIF"))


def test_more_pixels_than_allowed_are_refused_before_they_are_read() -> None:
    with pytest.raises(VisionError, match="too large"):
        decode(encode(Image.new("1", (8000, 8000))))
