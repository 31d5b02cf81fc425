"""A trained model as a file: plain arrays and JSON, so that reading one runs no code of its writer.

The file is NumPy's `.npz` of the arrays below, and of `header`: the UTF-8 bytes of a JSON document
with all numbers and names.
"""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loupe_local.vision.calibration import Calibration
from loupe_local.vision.classifier import Kernel, Logistic, Neighbours, Projection, Scorer
from loupe_local.vision.errors import VisionError
from loupe_local.vision.evaluation import Evaluation, LabelMetrics
from loupe_local.vision.training import Memory, Trained
from loupe_local.vision.views import DESCRIBE, View

FORMAT = "loupe-vision-3"
OLDER = "loupe-vision-2"
"""Without `view`, since all its models saw by features."""
HEADER = "header"

Json = dict[str, Any]
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Content:
    """What a model file holds."""

    labels: tuple[str, ...]
    kind: str
    view: View
    evaluation: Evaluation
    trained: Trained


def write(path: Path, content: Content) -> None:
    """Writes the file, which appears whole or not at all."""
    trained = content.trained
    scorer, numbers = _scorer_parts(trained.scorer)
    header = {
        "format": FORMAT,
        "labels": content.labels,
        "kind": content.kind,
        "evaluation": asdict(content.evaluation),
        "scorer": numbers,
        "calibration": asdict(trained.calibration),
        "reach": float(trained.memory.reach),
        "usual": float(trained.usual),
        "view": content.view,
    }
    arrays: dict[str, Any] = {
        HEADER: np.frombuffer(json.dumps(header).encode(), np.uint8),
        "mean": trained.projection.mean,
        "components": trained.projection.components,
        "memory": trained.memory.vectors,
        "memory_classes": trained.memory.classes,
        "known": trained.known,
        **{f"scorer_{name}": array for name, array in scorer.items()},
    }
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        np.savez(file, **arrays)
    partial.replace(path)


def read(path: Path) -> Content:
    """What `write` wrote.

    Raises:
        VisionError: there is no such file, or it is not a model of this version.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header: Json = json.loads(arrays.pop(HEADER).tobytes())
        if header["format"] == OLDER:
            header["view"] = "features"
        elif header["format"] != FORMAT:
            raise ValueError(f"its format is {header['format']!r}, not {FORMAT!r}")
        return _content(header, arrays)
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise VisionError(f"{path} is not a model of this version: {error}") from error


def _content(header: Json, arrays: Arrays) -> Content:
    evaluation = header["evaluation"]
    metrics = {label: LabelMetrics(**fields) for label, fields in evaluation["labels"].items()}
    trained = Trained(
        Projection(arrays["mean"], arrays["components"]),
        _scorer(header["kind"], header["scorer"], arrays),
        Calibration(**header["calibration"]),
        Memory(arrays["memory"], arrays["memory_classes"], header["reach"]),
        arrays["known"],
        header["usual"],
    )
    return Content(
        tuple(header["labels"]),
        header["kind"],
        _view(header["view"]),
        Evaluation(**evaluation | {"labels": metrics}),
        trained,
    )


def _view(name: str) -> View:
    for view in DESCRIBE:
        if view == name:
            return view
    raise ValueError(f"it sees in an unknown way, {name!r}")


def _scorer_parts(scorer: Scorer) -> tuple[Arrays, Json]:
    """Its arrays, and its numbers."""
    fields = vars(scorer)
    arrays = {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}
    return arrays, {name: value for name, value in fields.items() if name not in arrays}


def _scorer(kind: str, numbers: Json, arrays: Arrays) -> Scorer:
    own: dict[str, Any] = {
        name.removeprefix("scorer_"): array
        for name, array in arrays.items()
        if name.startswith("scorer_")
    }
    match kind:
        case "kernel":
            return Kernel(**own, **numbers)
        case "logistic":
            return Logistic(**own, **numbers)
        case "neighbours":
            return Neighbours(**own, **numbers)
    raise ValueError(f"it has an unknown kind of classifier, {kind!r}")
