"""Business rule: a version shows how it did, and against which version, on the same images."""

import json
from typing import Any

import pytest

from loupe.adapters.rekognition import VersionState
from loupe.domain.comparison import Prediction
from loupe.domain.manifest import ManifestEntry, render
from loupe.domain.versions import LabelMetrics, Version, VersionStatus
from loupe.services.training_data import manifest_key
from loupe.services.version_report import (
    against,
    compared,
    comparison_lines,
    confusion_matrix,
    images_compared,
    per_label,
    snapshot_counts,
)
from tests.adapters.world import World

COMPARISON = {
    "challenger": {"f1": 0.75, "images": 4, "accepted_share": 0.5, "accepted_accuracy": 0.667},
    "champion_version": "v1",
    "f1": (0.8, 0.6),
    "difference": 0.2,
    "interval": (0.1, 0.3),
    "images": 3,
}
ALONE = COMPARISON | {"champion_version": "", "f1": None, "interval": None, "images": 0}


def version(comparison: dict[str, Any]) -> Version:
    return Version("v2", VersionStatus.NOT_BETTER, "", ("cat", "dog"), comparison=comparison)


def lines(**changes: Any) -> dict[str, str]:
    return {line["name"]: line["value"] for line in comparison_lines(version(COMPARISON | changes))}


def test_a_comparison_reads_as_measures_of_both_versions() -> None:
    assert lines() == {
        "Loupe's F1 of v2 on 3 test images": "0.800",
        "Loupe's F1 of v1 on the same images": "0.600",
        "Difference": "+0.200",
        "Answered without a person": "50 %",
        "Right, of what is answered without a person": "67 %",
        "With 90 % certainty the difference lies in": "+0.100 to +0.300",
    }


@pytest.mark.parametrize(
    ("interval", "is_chance"),
    [((-0.1, 0.3), True), ((0.0, 0.3), True), ((-0.3, 0.0), True), ((-0.3, -0.1), False)],
)
def test_a_difference_that_may_be_chance_says_so(
    interval: tuple[float, float], is_chance: bool
) -> None:
    difference = lines(interval=interval)["With 90 % certainty the difference lies in"]

    assert difference.endswith(", so it may be chance") == is_chance


def test_a_version_that_answers_nothing_alone_has_no_share_that_is_right() -> None:
    challenger = COMPARISON["challenger"] | {"accepted_accuracy": None}  # type: ignore[operator]

    assert lines(challenger=challenger)["Right, of what is answered without a person"] == (
        "nothing was"
    )


def test_the_older_version_comes_first_in_a_comparison() -> None:
    assert compared(version(COMPARISON)) == [
        {"name": "v1", "f1": 0.6},
        {"name": "v2", "f1": 0.8},
    ]
    assert images_compared(version(COMPARISON)) == 3


def test_without_a_version_in_service_a_version_stands_alone() -> None:
    assert compared(version(ALONE)) == [{"name": "v2", "f1": 0.75}]
    assert images_compared(version(ALONE)) == 4
    assert [line["name"] for line in comparison_lines(version(ALONE))] == [
        "Loupe's F1 of v2 on 4 test images",
        "Answered without a person",
        "Right, of what is answered without a person",
    ]


def test_a_version_that_was_never_compared_has_no_comparison() -> None:
    assert compared(version({})) == []
    assert images_compared(version({})) == 0
    assert comparison_lines(version({})) == []


@pytest.fixture
def tested(world: World) -> World:
    """Versions v1 and v2; v2 was trained on two images and tested on three others."""
    world.version("v1")
    world.version("v2", VersionStatus.NOT_BETTER, comparison=COMPARISON)
    images = {"train": ("cat 1", "cat 2"), "test": ("cat 3", "dog 4", "dog 5")}
    for split, names in images.items():
        entries = [
            ManifestEntry(f"s3://b/{name}", name.split()[0], name[-1], "uploaded", "")
            for name in names
        ]
        body = render(entries).encode()
        world.deps.objects.write(manifest_key("v2", split), body, "application/jsonl")
    return world


def predict(world: World, name: str, **labels: str | None) -> None:
    """A version's predictions, by the last character of the image's name."""
    for content, label in labels.items():
        world.deps.versions.save_prediction(name, content[-1], Prediction(label, 90.0))


def test_predictions_are_counted_by_true_label_and_by_what_was_predicted(tested: World) -> None:
    predict(tested, "v2", _3="dog", _4="dog", _5=None)

    assert confusion_matrix(tested.deps.versions.get("v2"), tested.deps) == {
        "labels": ["cat", "dog"],
        "counts": [[0, 1, 0], [0, 1, 1]],
    }


def test_a_version_that_predicted_nothing_has_no_matrix(tested: World) -> None:
    assert confusion_matrix(tested.deps.versions.get("v2"), tested.deps) is None


def test_the_images_that_a_version_was_trained_and_tested_on_are_counted_by_label(
    tested: World,
) -> None:
    assert snapshot_counts("v2", tested.deps) == [
        {"label": "cat", "train": 2, "test": 1, "underrepresented": ""},
        {"label": "dog", "train": 0, "test": 2, "underrepresented": ""},
    ]
    assert snapshot_counts("v1", tested.deps) == []


def test_two_versions_are_compared_on_the_images_that_both_have_predicted(tested: World) -> None:
    predict(tested, "v1", _3="cat", _4="cat")
    predict(tested, "v2", _3="cat", _4="dog", _5="dog")

    both = against("v2", "v1", tested.deps)

    assert both.images == 2
    assert list(both.f1) == pytest.approx([1 / 3, 1.0])
    assert set(both.label_f1) == {"cat", "dog"}


def test_a_version_that_was_never_compared_shares_no_image(tested: World) -> None:
    predict(tested, "v1", _3="cat")
    predict(tested, "v2", _3="cat")

    assert against("v1", "v2", tested.deps).images == 0


def test_the_services_own_evaluation_is_shown_label_by_label(tested: World) -> None:
    metrics = {"F1Score": 0.9, "Precision": 0.8, "Recall": 1.0}
    evaluation = {"LabelEvaluationResults": [{"Label": "cat", "Metrics": metrics}]}
    tested.put("evaluation/v2.json", json.dumps(evaluation).encode())
    tested.rekognition.states["v2"] = VersionState(
        "TRAINING_COMPLETED", "arn:v2", evaluation="evaluation/v2.json"
    )

    assert per_label("v2", tested.deps) == [LabelMetrics("cat", 0.9, 0.8, 1.0)]
    assert per_label("v1", tested.deps) == []
