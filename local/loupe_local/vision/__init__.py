"""The local trainer and detector: what stands in for Rekognition Custom Labels' own.

>>> model = train(examples, held_out)          # doctest: +SKIP
>>> model.predict(Path("a.png").read_bytes())  # doctest: +SKIP
{'cat': 93.1, 'dog': 4.0}
"""

from loupe_local.vision.errors import VisionError
from loupe_local.vision.evaluation import Evaluation, LabelMetrics
from loupe_local.vision.model import Example, Model, train

__all__ = ["Evaluation", "Example", "LabelMetrics", "Model", "VisionError", "train"]
