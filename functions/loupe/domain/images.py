"""The images that Rekognition Custom Labels accepts, and their pixels."""

import struct
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Final, Literal

from PIL import Image

ImageFormat = Literal["PNG", "JPEG"]
MEDIA_TYPES: Final = ("image/png", "image/jpeg")

MIN_SIDE: Final = 64
MAX_SIDE: Final = 4096
MAX_BYTES: Final = 15 * 1024**2
MAX_ASPECT: Final = 20

_EXIF_ORIENTATION: Final = 0x0112
_ON_ITS_SIDE: Final = (5, 6, 7, 8)
_BROKEN: Final = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError,
    MemoryError, struct.error, zlib.error,
)  # fmt: skip


class UnreadableImage(ValueError):
    """The bytes are no usable image; the message says why and what to do."""


@dataclass(frozen=True)
class ImageFacts:
    """Size and format of an image as it is displayed (EXIF orientation applied)."""

    width: int
    height: int
    format: ImageFormat


def check_size(size: int) -> None:
    """Raise UnreadableImage for a file of more than 15 MB, before it is read."""
    if size > MAX_BYTES:
        raise UnreadableImage(
            f"The image has {size / 1024**2:.1f} MB; Rekognition takes at most "
            f"{MAX_BYTES // 1024**2} MB. Save it as a JPEG or make it smaller."
        )


def decode(image: bytes) -> tuple[Image.Image, ImageFacts]:
    """The pixels as stored, fully decoded, and the facts as displayed.

    Raises UnreadableImage for an image that is damaged or beyond the limits.
    """
    image_format = _format(image)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            if image_format == "PNG":
                Image.open(BytesIO(image), formats=("PNG",)).verify()  # checksums of all chunks
            opened = Image.open(BytesIO(image), formats=(image_format,))
        width, height = opened.size
        _check_sides(width, height)
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
    if orientation(opened) in _ON_ITS_SIDE:
        width, height = height, width
    return opened, ImageFacts(width, height, image_format)


def _format(image: bytes) -> ImageFormat:
    if not image:
        raise UnreadableImage("The file is empty. Upload it again.")
    check_size(len(image))
    if image.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if image.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    raise UnreadableImage(
        "The file is neither a PNG nor a JPEG image, whatever its name says. "
        "Convert it to one of the two."
    )


def _check_sides(width: int, height: int) -> None:
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


def orientation(image: Image.Image) -> int:
    """The EXIF orientation; damaged EXIF data does not make a picture unreadable."""
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except _BROKEN:
        return 1
