"""The training results summary, as the developer guide describes its file."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from loupe_local.http.wire import Json
from loupe_local.rekognition.manifest import Entry
from loupe_local.vision import Model


def evaluation_summary(
    version: str,
    model: Model,
    training_images: int,
    test: Sequence[tuple[Entry, bytes]],
    held_out: str,
) -> Json:
    """How the model did on the test images, as a whole and label by label.

    `held_out` is the key of what models that had not seen them say of the training images.
    """
    evaluation = model.evaluation
    return {
        "Version": 1,
        "EvaluationDetails": {
            "ProjectVersionArn": version,
            "EvaluationEndTimestamp": datetime.now(UTC).replace(tzinfo=None).isoformat(),
            "Labels": list(model.labels),
            "NumberOfTrainingImages": training_images,
            "NumberOfTestingImages": len(test),
        },
        "AggregatedEvaluationResults": {
            "Precision": evaluation.precision,
            "Recall": evaluation.recall,
            "F1Score": evaluation.f1,
            "ConfusionMatrix": _confusion(model, test),
        },
        "LabelEvaluationResults": [
            {
                "Label": label,
                "NumberOfTestingImages": metrics.test_images,
                "Metrics": {
                    "F1Score": metrics.f1,
                    "Precision": metrics.precision,
                    "Recall": metrics.recall,
                    "Threshold": metrics.threshold,
                },
            }
            for label, metrics in sorted(
                evaluation.labels.items(), key=lambda item: (-item[1].f1, item[0])
            )
        ],
        # Not of the service: how far the confidence may be believed, and which labels to doubt.
        "LoupeLocal": {"CalibrationError": evaluation.calibration_error, "HeldOut": held_out},
    }


def _confusion(model: Model, test: Sequence[tuple[Entry, bytes]]) -> list[Json]:
    """For each true label, which share of its images the model took for which label."""
    pairs: Counter[tuple[str, str]] = Counter()
    for entry, image in test:
        scores = model.predict(image)
        pairs[entry.labels[0], max(scores, key=lambda label: scores[label])] += 1
    total: Counter[str] = Counter()
    for (truth, _), count in pairs.items():
        total[truth] += count
    return [
        {"GroundTruthLabel": truth, "PredictedLabel": predicted, "Value": count / total[truth]}
        for (truth, predicted), count in sorted(pairs.items())
    ]
