"""Which images the service takes."""

import struct

import cv2
import numpy as np
import pytest

from loupe_local.http.wire import ServiceError
from loupe_local.rekognition import images


def encoded(width: int, height: int, kind: str = ".png") -> bytes:
    """An image of a size."""
    return bytes(cv2.imencode(kind, np.zeros((height, width, 3), np.uint8))[1])


@pytest.mark.parametrize("kind", [".png", ".jpg"])
@pytest.mark.parametrize("size", [(64, 64), (4096, 300), (1280, 64)])
def test_png_and_jpeg_within_the_limits_are_taken(kind: str, size: tuple[int, int]) -> None:
    """Given an image within the limits, then its size is read from it and it is taken."""
    image = encoded(*size, kind)
    assert images.dimensions(image) == size
    images.check(image, images.S3_LIMIT)


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (b"", "InvalidImageFormatException"),
        (b"\xff\xd8\xff", "InvalidImageFormatException"),
        (images.PNG + b"short", "InvalidImageFormatException"),
        (encoded(64, 64, ".bmp"), "InvalidImageFormatException"),
        (encoded(63, 64), "InvalidParameterException"),
        (encoded(1281, 64), "InvalidParameterException"),
        (encoded(4097, 4096), "ImageTooLargeException"),
        (encoded(64, 64) + bytes(images.BYTES_LIMIT), "ImageTooLargeException"),
    ],
)
def test_others_are_refused(image: bytes, code: str) -> None:
    """Given an image outside the limits, then the error says which one."""
    with pytest.raises(ServiceError) as refusal:
        images.check(image, images.BYTES_LIMIT)
    assert refusal.value.code == code


def test_a_jpeg_with_padding_and_markers_before_its_frame_is_read() -> None:
    """Given a JPEG with fill bytes and other segments first, then its size is found."""
    frame = b"\xff\xc2" + struct.pack(">HBHH", 17, 8, 100, 200) + bytes(10)
    image = b"\xff\xd8" + b"\xff\xff\xe0" + struct.pack(">H", 4) + b"ab" + b"\xff\x01" + frame
    assert images.dimensions(image) == (200, 100)
