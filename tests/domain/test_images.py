"""Business rule: an image that Rekognition would refuse is refused in words, with the way out."""

from io import BytesIO

import pytest
from PIL import Image

from loupe.domain.images import MAX_BYTES, ImageFacts, UnreadableImage, check_size, decode


def image(width: int, height: int, kind: str = "PNG", orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = BytesIO()
    Image.new("L", (width, height)).save(buffer, kind, exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize("size", [(64, 64), (4096, 205), (205, 4096), (1280, 64)])
def test_an_image_at_the_limits_is_accepted(size: tuple[int, int]) -> None:
    assert decode(image(*size))[1] == ImageFacts(*size, "PNG")


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((63, 64), "63 x 64 pixels; Rekognition needs at least 64 on each side. Use a larger"),
        ((64, 63), "64 x 63 pixels; Rekognition needs at least 64 on each side. Use a larger"),
        ((4097, 300), "4097 x 300 pixels; Rekognition takes at most 4096 on each side. Make it"),
        ((300, 4097), "300 x 4097 pixels; Rekognition takes at most 4096 on each side. Make it"),
        ((1281, 64), "1281 x 64 pixels; Rekognition takes at most 20 times as long as wide. Crop"),
    ],
)
def test_an_image_beyond_the_limits_says_which_and_what_to_do(
    size: tuple[int, int], words: str
) -> None:
    with pytest.raises(UnreadableImage, match=f"The image is {words}"):
        decode(image(*size))


def test_an_image_on_its_side_is_measured_as_it_is_shown() -> None:
    assert decode(image(100, 64, "JPEG", orientation=6))[1] == ImageFacts(64, 100, "JPEG")
    assert decode(image(100, 64, "JPEG", orientation=3))[1] == ImageFacts(100, 64, "JPEG")


def test_a_file_of_15_mb_is_accepted_and_a_larger_one_says_how_large_it_is() -> None:
    check_size(MAX_BYTES)

    with pytest.raises(UnreadableImage, match=r"has 15\.5 MB; Rekognition takes at most 15 MB\."):
        check_size(MAX_BYTES + 512 * 1024)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"The file is empty\. Upload it again\."),
        (b"GIF89a", r"neither a PNG nor a JPEG image, whatever its name says\. Convert it"),
        (image(64, 64)[:-20], r"The PNG image is damaged or incomplete .*Export or upload it"),
        (image(64, 64, "JPEG")[:200], r"The JPEG image is damaged or incomplete .*Export or"),
    ],
)
def test_a_file_that_is_no_whole_image_says_what_is_wrong_with_it(
    content: bytes, words: str
) -> None:
    with pytest.raises(UnreadableImage, match=words):
        decode(content)
