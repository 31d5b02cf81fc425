"""The trainer as the rest of Loupe uses it."""

import json
import pickle
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from loupe_local.vision import Example, Model, VisionError, train
from loupe_local.vision.classifier import KINDS, Kernel, Kind, Logistic, Neighbours, Scorer
from loupe_local.vision.evaluation import calibration_error
from loupe_local.vision.views import View

from .drawn import BLUE, RED, bolt, digits, encode, logos, others, ring, top


def test_logos_uploaded_again_are_recognised_with_confidence(logo_model: Model) -> None:
    answers = [(example.label, *top(logo_model, example.image)) for example in logos()]
    assert sum(label == found and sure > 70 for label, found, sure in answers) >= 8


def test_held_out_logos_are_told_apart(logo_model: Model) -> None:
    for example in (logos()[4], logos()[9]):
        assert top(logo_model, example.image)[0] == example.label
    assert logo_model.evaluation.test_images == 2


def test_foreign_images_stay_below_the_usual_minimum(logo_model: Model) -> None:
    assert sum(top(logo_model, image)[1] < 70 for image in others(40)) >= 36


def test_confidences_and_the_background_add_up_to_100(logo_model: Model) -> None:
    for image in [logos()[0].image, *others(4)]:
        confidence = logo_model.predict(image)
        assert set(confidence) == {"bolt", "ring"}
        assert all(value >= 0 for value in confidence.values())
        assert sum(confidence.values()) <= 100.001


def test_a_transparent_upload_is_read_as_the_logo_on_white(logo_model: Model) -> None:
    label, sure = top(logo_model, encode(ring(RED, (0, 0, 0, 0))))
    assert label == "ring" and sure > 70


def test_detection_is_quick(logo_model: Model) -> None:
    image = logos()[0].image
    logo_model.predict(image)
    started = time.perf_counter()
    for _ in range(10):
        logo_model.predict(image)
    assert (time.perf_counter() - started) / 10 < 0.1


def test_an_image_under_a_wrong_label_is_doubted_by_scorers_that_did_not_see_it() -> None:
    images = [example for example in digits(150) if example.label in ("0", "1")]
    truth, wrong = images[0].label, "1" if images[0].label == "0" else "0"
    images[0] = Example(images[0].image, wrong)

    held_out = train(images, []).held_out

    assert held_out[0][truth] > 50 > 10 > held_out[0][wrong]
    right = [said[image.label] > 50 for image, said in zip(images, held_out, strict=True)]
    assert sum(right) > len(images) / 2


def test_a_saved_model_answers_the_same(logo_model: Model, tmp_path: Path) -> None:
    path = tmp_path / "model"
    logo_model.save(path)
    loaded = Model.load(path)
    image = logos()[0].image
    assert loaded.predict(image) == logo_model.predict(image)
    assert loaded.labels == logo_model.labels
    assert loaded.evaluation == logo_model.evaluation
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


class Trap:
    """What a pickle of a stranger does when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return Path.touch, (self.mark,)


def test_a_model_file_of_a_stranger_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    pickled, array = tmp_path / "pickled", tmp_path / "array.npz"
    pickled.write_bytes(pickle.dumps(Trap(mark)))
    np.savez(array, header=np.array([Trap(mark)], dtype=object))
    for path in (pickled, array):
        with pytest.raises(VisionError, match="not a model of this version"):
            Model.load(path)
    assert not mark.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_classifier_is_kept_whole(
    kind: Kind, logo_model: Model, tmp_path: Path
) -> None:
    vectors = logo_model._trained.known
    classes = np.arange(len(vectors), dtype=np.intp) % 3
    weights = vectors[:3]
    scorers: dict[Kind, Scorer] = {
        "kernel": Kernel(vectors, vectors[:, :3], 0.1),
        "logistic": Logistic(weights, weights[:, 0]),
        "neighbours": Neighbours(vectors, classes, 3, 0.1),
    }
    scorer = scorers[kind]
    trained = replace(logo_model._trained, scorer=scorer)
    path = tmp_path / "model"
    replace(logo_model, kind=kind, _trained=trained).save(path)
    loaded = Model.load(path)._trained.scorer
    assert type(loaded) is type(scorer)
    for name, value in vars(scorer).items():
        np.testing.assert_array_equal(vars(loaded)[name], value)


@pytest.mark.parametrize("content", [b"", b"nothing", None])
def test_what_is_not_a_model_is_a_vision_error(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "model"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VisionError):
        Model.load(path)


def test_the_same_images_and_seed_give_the_same_model() -> None:
    examples = [example for index, example in enumerate(logos()) if index % 5 < 2]
    first, second = (train(examples, [], seed=3).predict(examples[0].image) for _ in range(2))
    assert first == second


def test_one_image_a_label_is_enough_to_train() -> None:
    model = train([Example(encode(ring(RED)), "ring"), Example(encode(bolt(BLUE)), "bolt")], [])
    assert top(model, encode(ring(RED)))[0] == "ring"


def test_the_same_image_under_two_labels_belongs_to_neither() -> None:
    image = encode(ring(RED))
    examples = [Example(image, "a"), Example(image, "b"), Example(encode(bolt(RED)), "b")]
    assert top(train(examples, []), image)[1] < 70


def test_fewer_than_two_labels_are_refused() -> None:
    with pytest.raises(VisionError, match="at least 2 labels"):
        train([Example(encode(ring(RED)), "ring")], [])


def test_an_image_that_cannot_be_decoded_is_named() -> None:
    examples = [Example(encode(ring(RED)), "ring"), Example(b"broken", "bolt")]
    with pytest.raises(VisionError, match=r"training image 1 \(bolt\)"):
        train(examples, [])


def test_test_images_of_unknown_labels_are_not_evaluated() -> None:
    examples = [Example(encode(ring(RED)), "ring"), Example(encode(bolt(RED)), "bolt")]
    model = train(examples, [Example(encode(ring(BLUE)), "other")])
    assert model.evaluation.test_images == 0
    assert set(model.evaluation.labels) == {"ring", "bolt"}


def test_digits_are_read_with_honest_confidence() -> None:
    examples = digits(460)
    shares: list[tuple[float, str]] = []
    model = train(examples[:60], examples[60:], progress=lambda *done: shares.append(done))
    answers = [top(model, example.image) for example in examples[60:]]
    right = np.array(
        [label == e.label for (label, _), e in zip(answers, examples[60:], strict=True)]
    )
    sure = np.array([confidence for _, confidence in answers]) / 100
    assert right.mean() > 0.85
    assert calibration_error(sure, right) <= 0.08
    assert (sure < 0.7).mean() < 0.35
    assert model.evaluation.calibration_error == pytest.approx(
        calibration_error(sure, right),
        abs=1e-5,  # images are read one by one here, and together there
    )
    assert [share for share, _ in shares] == sorted(share for share, _ in shares)
    assert shares[-1][0] == 1


def test_a_model_of_the_release_before_sees_by_features(logo_model: Model, tmp_path: Path) -> None:
    path, older = tmp_path / "model", tmp_path / "older"
    logo_model.save(path)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    header = json.loads(arrays["header"].tobytes())
    assert header.pop("view") == "features"
    header["format"] = "loupe-vision-2"
    arrays["header"] = np.frombuffer(json.dumps(header | {"backbone": None}).encode(), np.uint8)
    with older.open("wb") as stream:
        np.savez(stream, **arrays)
    image = logos()[0].image
    assert Model.load(older).predict(image) == logo_model.predict(image)


def test_a_model_that_sees_in_an_unknown_way_is_a_vision_error(
    logo_model: Model, tmp_path: Path
) -> None:
    path = tmp_path / "model"
    replace(logo_model, view=cast(View, "another")).save(path)
    with pytest.raises(VisionError, match="unknown way"):
        Model.load(path)
