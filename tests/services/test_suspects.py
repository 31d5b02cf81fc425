"""Business rule: after a comparison people look again at the labels that versions doubt."""

import json

import pytest

from loupe.adapters.rekognition import VersionState
from loupe.domain.comparison import Prediction
from loupe.domain.detection import Label
from loupe.domain.labelled_images import hashed_key
from loupe.domain.manifest import ManifestEntry, render
from loupe.domain.settings import Settings
from loupe.domain.versions import VersionStatus
from loupe.errors import InvalidRequest, NotFound
from loupe.services.comparison import compare
from loupe.services.labelled_images import reconcile
from loupe.services.suspects import (
    confirm,
    correct,
    list_after_comparison,
    list_suspects,
    open_suspects,
)
from loupe.services.training_data import manifest_key
from tests.adapters.world import BUCKET, World

SETTINGS = Settings.from_parameters({})
WRONG = "images_labeled_by_folder/cat/0.png"
SUMMARY = "evaluation/v1/summary.json"


@pytest.fixture
def keys(world: World) -> list[str]:
    """Given four cats and four dogs; versions take the first cat for a dog."""
    return [world.labelled("cat" if n < 4 else "dog", f"{n}.png", n) for n in range(8)]


def content_of(world: World, key: str) -> str:
    image = world.deps.dataset.labelled_image(key)
    assert image is not None
    (content,) = (m.content for m in world.deps.dataset.group(image.group).members if m.key == key)
    return content


def predicted(world: World, version: str, keys: list[str], wrong: str = WRONG) -> None:
    """What a version says: the truth, and of `wrong` that it is a dog."""
    for key in keys:
        label = "dog" if key == wrong else key.split("/")[1]
        scores = {label: 95.0, "cat" if label == "dog" else "dog": 3.0}
        prediction = Prediction(label, 95.0, scores)
        world.deps.versions.save_prediction(version, content_of(world, key), prediction)


def manifest(world: World, version: str, split: str, *keys: str) -> None:
    entries = [
        ManifestEntry(
            f"s3://{BUCKET}/{key}", key.split("/")[1], content_of(world, key), "uploaded", "Z"
        )
        for key in keys
    ]
    body = render(entries).encode()
    world.deps.objects.write(manifest_key(version, split), body, "text/plain")


@pytest.fixture
def doubted(world: World, keys: list[str]) -> str:
    """Given a label that v1, which was trained on none of the images, doubts; returns its id."""
    world.version("v1", arn="arn:v1")
    manifest(world, "v1", "train")
    predicted(world, "v1", keys)
    list_suspects(world.deps)
    return hashed_key(WRONG)


def listed(world: World) -> list[str]:
    return [suspect.key for suspect in open_suspects(world.deps)]


def registered(world: World, *keys: str) -> None:
    """The events of changed objects, in this order."""
    for key in keys:
        reconcile(key, world.deps)


def test_a_doubted_label_is_listed_with_the_version_that_doubts_it(
    world: World, doubted: str
) -> None:
    (suspect,) = open_suspects(world.deps)

    assert (suspect.id, suspect.label, suspect.instead) == (doubted, "cat", "dog")
    assert (suspect.version, suspect.lead) == ("v1", 92.0)


def test_a_version_is_not_asked_of_what_it_was_trained_on(world: World, keys: list[str]) -> None:
    world.version("v1", arn="arn:v1")
    manifest(world, "v1", "train", WRONG)
    predicted(world, "v1", keys)

    list_suspects(world.deps)

    assert listed(world) == []


def test_nor_is_a_version_of_which_nobody_knows_what_it_was_trained_on(
    world: World, keys: list[str]
) -> None:
    world.version("v1", arn="arn:v1")
    predicted(world, "v1", keys)

    list_suspects(world.deps)

    assert listed(world) == []


def test_an_image_that_is_no_longer_doubted_leaves_the_list(
    world: World, keys: list[str], doubted: str
) -> None:
    world.version("v2", arn="arn:v2")
    manifest(world, "v2", "train")
    predicted(world, "v2", keys, wrong="")

    list_suspects(world.deps)

    assert listed(world) == []
    with pytest.raises(NotFound):
        confirm(doubted, "ann", world.deps)


def test_a_confirmed_label_is_not_listed_again(world: World, doubted: str) -> None:
    confirm(doubted, "ann", world.deps)
    assert listed(world) == []

    list_suspects(world.deps)

    assert listed(world) == []


def test_a_confirmed_image_that_is_replaced_can_be_listed_again(
    world: World, keys: list[str], doubted: str
) -> None:
    confirm(doubted, "ann", world.deps)
    world.labelled("cat", "0.png", 77)
    predicted(world, "v1", [WRONG])

    list_suspects(world.deps)

    assert listed(world) == [WRONG]


def test_a_removed_image_leaves_the_list_at_once(world: World, doubted: str) -> None:
    world.remove(WRONG)
    registered(world, WRONG)

    assert listed(world) == []


def test_a_correction_says_which_versions_were_trained_on_the_wrong_label(
    world: World, doubted: str
) -> None:
    for name in ("v2", "v3", "v4"):
        world.version(name, VersionStatus.REPLACED, arn=f"arn:{name}")
    manifest(world, "v2", "train", WRONG)
    manifest(world, "v3", "test", WRONG)
    manifest(world, "v4", "train", WRONG)

    assert correct(doubted, "dog", "ann", world.deps) == ["v4", "v2"]


def test_a_corrected_image_is_a_labelled_image_of_its_new_label_and_is_not_doubted_again(
    world: World, doubted: str
) -> None:
    correct(doubted, "emu", "ann", world.deps)
    assert listed(world) == []
    (moved,) = world.keys("images_labeled_by_folder/emu/")
    registered(world, WRONG, moved)

    list_suspects(world.deps)

    assert listed(world) == []
    image = world.deps.dataset.labelled_image(moved)
    assert image and (image.label, image.by) == ("emu", ("ann",))


def test_near_duplicates_are_corrected_with_the_image(world: World, doubted: str) -> None:
    copy = world.labelled("cat", "copy.png", 0)

    correct(doubted, "dog", "ann", world.deps)

    moved = [key for key in world.keys("images_labeled_by_folder/dog/") if key.count(".") > 1]
    assert len(moved) == 2
    registered(world, copy, WRONG, *moved)
    record = world.deps.dataset.labelled_image(moved[0])
    assert record is not None
    assert world.deps.dataset.group(record.group).labels == ("dog",)


def test_a_correction_that_was_cut_off_can_be_given_again(
    world: World, doubted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as cut, pytest.raises(NotFound):
        cut.setattr("loupe.services.suspects.move_image", _cut_off)
        correct(doubted, "dog", "ann", world.deps)
    assert listed(world) == [WRONG]

    correct(doubted, "dog", "ann", world.deps)

    assert WRONG not in world.keys("images_labeled_by_folder/")
    assert listed(world) == []


def _cut_off(*_: object) -> None:
    raise NotFound("the function's time is over")


def test_a_correction_to_the_same_label_is_refused(world: World, doubted: str) -> None:
    with pytest.raises(InvalidRequest, match="confirm it instead"):
        correct(doubted, "cat", "ann", world.deps)


def test_an_image_that_has_just_been_removed_cannot_be_corrected(
    world: World, doubted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspect = world.deps.suspects.get(doubted)
    world.remove(WRONG)
    registered(world, WRONG)
    world.deps.suspects.write(suspect)

    with pytest.raises(NotFound, match="not in the dataset"):
        correct(doubted, "dog", "ann", world.deps)


# The champion reads the new training images


@pytest.fixture
def compared(world: World, keys: list[str]) -> list[str]:
    """Given v1 in service, trained on the last image, and v2, also on the first five."""
    world.in_service()
    world.version("v2", VersionStatus.TRAINING, arn="arn:v2")
    manifest(world, "v1", "train", keys[7])
    for version in ("v1", "v2"):
        manifest(world, version, "test", *keys[5:7])
    manifest(world, "v2", "train", *keys[:5], keys[7])
    world.rekognition.states["v1"] = VersionState("RUNNING", "arn:v1")

    def sees(_: str, image: object) -> list[Label]:
        key = getattr(image, "key")  # noqa: B009
        label = "dog" if key == WRONG else key.split("/")[1]
        return [Label(label, 95.0), Label("cat" if label == "dog" else "dog", 3.0)]

    world.rekognition.answers = sees
    return keys


def test_the_champion_reads_new_training_images_and_doubts_their_labels(
    world: World, compared: list[str]
) -> None:
    assert compare("v2", SETTINGS, world.deps).status == "decided"

    read = [key for _, arn, key in world.rekognition.calls if arn == "arn:v1"]
    assert sorted(read) == compared[:7]
    assert list_after_comparison(world.deps)
    assert [(s.key, s.version) for s in open_suspects(world.deps)] == [(WRONG, "v1")]
    assert not list_after_comparison(world.deps), "once after each comparison"


def test_they_are_read_call_by_call(
    world: World, compared: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loupe.services.comparison.IMAGES_PER_CALL", 4)

    statuses = [compare("v2", SETTINGS, world.deps).status for _ in range(2)]

    assert statuses == ["scoring", "decided"]


def test_a_champion_is_not_started_for_them(world: World, compared: list[str]) -> None:
    predicted(world, "v1", compared[5:7])
    world.rekognition.become("v1", "STOPPED")

    assert compare("v2", SETTINGS, world.deps).status == "decided"
    list_after_comparison(world.deps)
    assert listed(world) == []


def test_a_training_says_what_it_held_out_in_turn(world: World, keys: list[str]) -> None:
    """Given v1, trained on all images by the local trainer, whose folds doubt one label."""
    world.version("v1", arn="arn:v1")
    manifest(world, "v1", "train", *keys)
    predicted(world, "v1", keys)
    said = [{"source-ref": f"s3://{BUCKET}/{key}", "confidences": folds(key)} for key in keys]
    lines = "".join(json.dumps(line) + "\n" for line in said)
    world.deps.objects.write("evaluation/v1/held-out.jsonl", lines.encode(), "text/plain")
    summary = {"LoupeLocal": {"HeldOut": "evaluation/v1/held-out.jsonl"}}
    world.deps.objects.write(SUMMARY, json.dumps(summary).encode(), "application/json")
    world.rekognition.states["v1"] = VersionState("STOPPED", "arn:v1", evaluation=SUMMARY)

    list_suspects(world.deps)

    assert listed(world) == [WRONG]


@pytest.mark.parametrize("summary", [None, {}, {"LoupeLocal": {}}])
def test_rekognition_says_nothing_of_its_training_images(
    world: World, keys: list[str], summary: dict[str, object] | None
) -> None:
    world.version("v1", arn="arn:v1")
    manifest(world, "v1", "train", *keys)
    predicted(world, "v1", keys)
    if summary is not None:
        world.deps.objects.write(SUMMARY, json.dumps(summary).encode(), "application/json")
    world.rekognition.states["v1"] = VersionState("STOPPED", "arn:v1", evaluation=SUMMARY)

    list_suspects(world.deps)

    assert listed(world) == []


def folds(key: str) -> dict[str, float]:
    """The confidences of a model that was not trained on the image."""
    truth = "dog" if key == WRONG else key.split("/")[1]
    return {"cat": 3.0, "dog": 3.0} | {truth: 95.0}
