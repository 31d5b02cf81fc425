"""What the service accepts as an image, told from its first bytes."""

import struct

from loupe_local.http.wire import ServiceError

S3_LIMIT = 15 * 1024 * 1024
BYTES_LIMIT = 4 * 1024 * 1024
LEAST_SIDE = 64
MOST_SIDE = 4096
MOST_ASPECT = 20

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8"
STANDALONE = {0x01, *range(0xD0, 0xD9)}
"""JPEG markers without a length."""
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""JPEG markers of a frame, which holds the size."""


def check(image: bytes, limit: int) -> None:
    """Raises ServiceError unless the service would take the image."""
    if len(image) > limit:
        raise ServiceError(
            "ImageTooLargeException",
            f"Image size is too large: {len(image)} bytes, at most {limit}.",
        )
    size = dimensions(image)
    if size is None:
        raise ServiceError(
            "InvalidImageFormatException",
            "Request has invalid image format: only PNG and JPEG are supported.",
        )
    least, most = min(size), max(size)
    if most > MOST_SIDE:
        raise ServiceError(
            "ImageTooLargeException",
            f"Image dimensions {size[0]}x{size[1]} exceed {MOST_SIDE} pixels.",
        )
    if least < LEAST_SIDE or most > least * MOST_ASPECT:
        raise ServiceError(
            "InvalidParameterException",
            f"Image dimensions {size[0]}x{size[1]}: a side must have at least {LEAST_SIDE} "
            f"pixels, and the long one at most {MOST_ASPECT} times the short one.",
        )


def dimensions(image: bytes) -> tuple[int, int] | None:
    """Width and height; None if it is neither PNG nor JPEG."""
    if image.startswith(PNG) and image[12:16] == b"IHDR" and len(image) >= 24:
        width, height = struct.unpack(">II", image[16:24])
        return width, height
    if image.startswith(JPEG):
        return _jpeg(image)
    return None


def _jpeg(image: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(image):
        if image[at] != 0xFF:
            return None
        marker = image[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker in STANDALONE:
            at += 2
        elif marker in FRAMES:
            height, width = struct.unpack(">HH", image[at + 5 : at + 9])
            return width, height
        else:
            at += 2 + int(struct.unpack(">H", image[at + 2 : at + 4])[0])
    return None
