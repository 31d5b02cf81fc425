"""The models that answer detections: loaded when they are first used, and kept for a while."""

import threading
import time
from collections import OrderedDict, defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from loupe_local.http.wire import ServiceError
from loupe_local.rekognition.training import MODEL

PER_UNIT = 5
"""Detections a second of one inference unit, where they are limited."""
MODELS = 4
PREDICTORS = 2


class Detector:
    """Keeps the models that were used last."""

    def __init__(self, models: Path) -> None:
        self._folder = models
        self._threads = ThreadPoolExecutor(PREDICTORS, thread_name_prefix="loupe-predict")
        self._models: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._recent: defaultdict[str, deque[float]] = defaultdict(deque)

    def predict(self, folder: str, image: bytes) -> dict[str, float]:
        """Confidence 0..100 of every label, by the model in `folder`."""
        return self._threads.submit(self._predict, folder, image).result()

    def spend(self, version: str, units: int) -> None:
        """Counts a detection; raises ServiceError when there are too many a second."""
        now = time.monotonic()
        with self._lock:
            recent = self._recent[version]
            while recent and recent[0] <= now - 1:
                recent.popleft()
            if len(recent) >= PER_UNIT * units:
                raise ServiceError(
                    "ProvisionedThroughputExceededException",
                    f"More than {PER_UNIT * units} detections a second.",
                )
            recent.append(now)

    def _predict(self, folder: str, image: bytes) -> dict[str, float]:
        from loupe_local.vision import VisionError  # noqa: PLC0415 (a second, 100 MB: only if used)

        try:
            model = self._model(folder)
        except VisionError as error:
            raise ServiceError("InternalServerError", str(error), 500) from error
        try:
            scores: dict[str, float] = model.predict(image)
        except VisionError as error:
            raise ServiceError("InvalidImageFormatException", str(error)) from error
        return scores

    def _model(self, folder: str) -> Any:
        from loupe_local.vision import Model  # noqa: PLC0415 (as above)

        with self._lock:
            if folder not in self._models:
                self._models[folder] = Model.load(self._folder / folder / MODEL)
                while len(self._models) > MODELS:
                    self._models.popitem(last=False)
            self._models.move_to_end(folder)
            return self._models[folder]
