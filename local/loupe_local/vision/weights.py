"""Reads the weights of EfficientNet-Lite0 as its package ships them, without PyTorch.

The file is of PyTorch's format before 1.6: five pickles (a magic number, a version, sizes of
types, the tensors, the names of their storages), then the storages, each with its length before
it. Only what such a file needs is unpickled.
"""

import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from loupe_local.vision.errors import VisionError

Weights = Mapping[str, NDArray[np.float32]]
"""Arrays by the name of their layer and role, such as `_conv_stem.weight`."""


@dataclass(frozen=True)
class _Storage:
    name: str
    dtype: type[np.generic]


@dataclass(frozen=True)
class _Tensor:
    """A view of a storage; offset and strides count elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self, values: NDArray[Any]) -> NDArray[Any]:
        """The tensor out of its storage's values; a ValueError if it would reach past them."""
        size = values.itemsize
        strides = tuple(stride * size for stride in self.strides)
        return np.ndarray(self.shape, values.dtype, values, self.offset * size, strides)


def _tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch", "FloatStorage"): np.float32,
    ("torch", "LongStorage"): np.int64,
}


class _Unpickler(pickle.Unpickler):
    """Makes tensors and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return ALLOWED[module, name]

    def persistent_load(self, pid: tuple[Any, ...]) -> _Storage:
        _kind, dtype, name, *_ = pid
        return _Storage(name, dtype)


def read_weights(path: Path) -> Weights:
    """All arrays of floats in the file.

    Raises:
        VisionError: the file is missing, damaged or of another format.
    """
    try:
        with path.open("rb") as file:
            _magic, _version, _sizes, tensors, names = (_Unpickler(file).load() for _ in range(5))
            dtypes = {tensor.storage.name: tensor.storage.dtype for tensor in tensors.values()}
            storages = {name: _read_storage(file, dtypes[name]) for name in names}
        return {
            name: tensor.array(storages[tensor.storage.name])
            for name, tensor in tensors.items()
            if tensor.storage.dtype is np.float32
        }
    except (OSError, EOFError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise VisionError(f"weights {path} cannot be read: {error}") from error
    except pickle.UnpicklingError as error:
        raise VisionError(f"weights {path} cannot be read: {error}") from error


def _read_storage(file: BinaryIO, dtype: type[np.generic]) -> NDArray[Any]:
    count = int.from_bytes(file.read(8), "little")
    return np.frombuffer(file.read(count * np.dtype(dtype).itemsize), dtype)
