"""The pretrained network: its file, its numbers, and what it makes of photographs."""

import pickle
from collections import OrderedDict
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

from loupe_local.vision import backbone, network
from loupe_local.vision.backbone import describe_photograph, model_file, squared
from loupe_local.vision.errors import VisionError
from loupe_local.vision.weights import Weights, read_weights

Array = NDArray[np.float32]


@pytest.fixture(scope="module")
def weights() -> Weights:
    return read_weights(backbone._weights_file())


def photograph(name: str) -> NDArray[np.uint8]:
    (path,) = (Path(skimage.__file__).parent / "data").glob(f"{name}.*")
    return np.asarray(Image.open(path).convert("RGB"))


class Reference:
    """The architecture as TensorFlow's EfficientNet-Lite defines it, one operation after another.

    Written from the definition, with nothing folded, so that it shares no mistake of `network`.
    """

    def __init__(self, weights: Weights) -> None:
        self.weights = weights

    def convolve(self, x: Array, name: str, stride: int) -> Array:
        """With padding SAME: the output's side is the input's by the stride, rounded up."""
        kernel = self.weights[f"{name}.weight"]
        size, side = kernel.shape[2], x.shape[1]
        total = max((-(-side // stride) - 1) * stride + size - side, 0)
        pads = (total // 2, total - total // 2)
        padded = np.pad(x, ((0, 0), pads, pads))
        windows = sliding_window_view(padded, (size, size), axis=(1, 2))[:, ::stride, ::stride]
        if kernel.shape[1] == 1:
            return np.einsum("chwij,cij->chw", windows, kernel[:, 0], optimize=True)
        return np.einsum("chwij,ocij->ohw", windows, kernel, optimize=True)

    def normalise(self, x: Array, name: str) -> Array:
        scale, shift, mean, variance = (
            self.weights[f"{name}.{part}"][:, None, None]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * scale + shift

    def features(self, x: Array) -> Array:
        def active(x: Array, convolution: str, norm: str, stride: int = 1) -> Array:
            return np.clip(self.normalise(self.convolve(x, convolution, stride), norm), 0, 6)

        x = active(x, "_conv_stem", "_bn0", 2)
        for index, stride in enumerate((1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)):
            name, entry = f"_blocks.{index}", x
            if index:
                x = active(x, f"{name}._expand_conv", f"{name}._bn0")
            x = active(x, f"{name}._depthwise_conv", f"{name}._bn1", stride)
            x = self.normalise(self.convolve(x, f"{name}._project_conv", 1), f"{name}._bn2")
            if x.shape == entry.shape:
                x = x + entry
        return active(x, "_conv_head", "_bn1").mean(axis=(1, 2))


def run(model: bytes, pixels: Array) -> Array:
    net = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
    net.setInput(pixels[None])
    return np.asarray(net.forward()[0])


def test_opencv_computes_what_the_architecture_says(weights: Weights) -> None:
    pixels = np.random.default_rng(0).uniform(-1, 1, (3, 64, 64)).astype(np.float32)
    expected = Reference(weights).features(pixels)
    np.testing.assert_allclose(run(network.to_onnx(weights), pixels), expected, atol=1e-4)


@pytest.mark.parametrize(("name", "known"), [("coffee", 967), ("motorcycle_left", 665)])
def test_photographs_are_what_imagenet_calls_them(name: str, known: int, weights: Weights) -> None:
    square = squared(photograph(name), 160)
    pixels = (square.transpose(2, 0, 1).astype(np.float32) - 127) / 128
    features = run(model_file().read_bytes(), pixels)
    assert int((weights["_fc.weight"] @ features + weights["_fc.bias"]).argmax()) == known


def test_an_embedding_is_of_length_one_and_the_same_every_time() -> None:
    picture = photograph("coffee")
    first, second = (describe_photograph(picture) for _ in range(2))
    assert first.shape == (network.FEATURES,)
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(first, second)


def test_a_wide_picture_is_seen_whole_on_its_ground() -> None:
    picture = np.full((20, 80, 3), 200, dtype=np.uint8)
    picture[5:15, 30:50] = 10
    square = squared(picture, 160)
    assert square.shape == (160, 160, 3)
    assert square[0, 0].tolist() == [200, 200, 200]
    assert (square.min(axis=2) < 100).sum() == pytest.approx(20 * 40, rel=0.1)


def test_the_model_file_is_made_once_and_appears_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    path = model_file(cache)
    assert [entry.name for entry in cache.iterdir()] == [path.name]

    def fail(*_: object) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr(backbone, "_make", fail)
    assert model_file(cache) == path


def test_other_sources_make_a_file_of_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = model_file(tmp_path)
    monkeypatch.setattr(backbone, "SOURCES", ("network.py",))
    assert model_file(tmp_path) != path


def test_a_missing_package_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backbone, "PACKAGE", "no_such_package_of_weights")
    with pytest.raises(VisionError, match="make setup"):
        model_file()


class Trap:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.mark,)


def test_weights_of_a_stranger_run_nothing(tmp_path: Path) -> None:
    mark, path = tmp_path / "mark", tmp_path / "weights.pth"
    path.write_bytes(pickle.dumps(Trap(mark)) * 5)
    with pytest.raises(VisionError, match="cannot be read"):
        read_weights(path)
    assert not mark.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", pickle.dumps(OrderedDict(a=1)) * 5])
def test_what_are_no_weights_is_a_vision_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(VisionError, match="cannot be read"):
        read_weights(path)


def test_damaged_weights_are_a_vision_error(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(backbone._weights_file().read_bytes()[:1_000_000])
    with pytest.raises(VisionError, match="cannot be read"):
        read_weights(path)
