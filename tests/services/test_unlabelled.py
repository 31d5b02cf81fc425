"""Business rule: an image that no label fits is kept, and becomes a label with those alike."""

import pytest

from loupe.domain.detection import DetectionState, Label
from loupe.domain.keys import NONE_OF_THE_ABOVE, ImageRef
from loupe.errors import InvalidRequest
from loupe.services.labelled_images import reconcile
from loupe.services.reviews import known_labels
from loupe.services.unlabelled import groups, keep, make_label, with_those_alike
from tests.adapters.world import World, jpeg


def no_label_fits(world: World, name: str, picture: int) -> ImageRef:
    """An image of which a person said that no label fits."""
    world.set(Labels="cat,dog")
    review = world.asked(Label("cat", 40.0), name=name, version="v1", picture=picture)
    image = world.deps.reviews.get(review).image
    world.taken_in(world.answered(review, NONE_OF_THE_ABOVE))
    return image


def test_images_that_no_label_fits_are_kept_with_what_the_model_said(world: World) -> None:
    image = no_label_fits(world, "1.png", 1)

    ((kept,),) = groups(world.deps)

    assert kept.image == image
    assert kept.scores == {"cat": 40.0}
    assert kept.signature


def test_an_image_that_got_a_label_is_not_kept(world: World) -> None:
    world.set(Labels="cat,dog")
    review = world.asked(Label("cat", 40.0), name="1.png", version="v1")

    world.taken_in(world.answered(review, "cat"))

    assert groups(world.deps) == []


def test_the_answer_counts_once_however_often_it_arrives(world: World) -> None:
    world.set(Labels="cat,dog")
    review = world.asked(Label("cat", 40.0), name="1.png", version="v1")
    output = world.answered(review, NONE_OF_THE_ABOVE)
    world.taken_in(output)
    ((kept,),) = groups(world.deps)
    make_label("emu", [kept.image.id], "ann", world.deps)

    world.taken_in(output)

    assert groups(world.deps) == []


def test_images_become_a_label_that_reviewers_can_choose(world: World) -> None:
    first, second = no_label_fits(world, "1.png", 1), no_label_fits(world, "2.png", 2)

    errors = make_label("emu", [first.id, second.id], "ann", world.deps)
    for key in world.keys("images_labeled_by_folder/emu/"):
        reconcile(key, world.deps)

    assert errors == {}
    assert groups(world.deps) == []
    count = world.deps.dataset.label_counts().by_label["emu"]
    assert (count.train, count.test) == (1, 1)
    assert "emu" in known_labels(world.settings(), world.deps)
    record = world.detection(first)
    assert record.state == DetectionState.ANSWERED
    assert [label.name for label in record.labels] == ["emu", "cat"]
    assert not record.none_of_the_above


def test_an_order_that_was_cut_off_behind_the_copy_can_be_given_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = no_label_fits(world, "1.png", 1)
    with monkeypatch.context() as cut, pytest.raises(RuntimeError):
        cut.setattr(world.deps.labels, "take", _cut_off)
        make_label("emu", [image.id], "ann", world.deps)

    assert make_label("emu", [image.id], "ann", world.deps) == {}
    assert len(world.keys("images_labeled_by_folder/emu/")) == 1
    again = make_label("emu", [image.id], "ann", world.deps)
    assert "no image without a label" in again[image.id]


def _cut_off(*_: object) -> None:
    raise RuntimeError("the function's time is over")


def test_what_cannot_be_a_label_copies_nothing(world: World) -> None:
    image = no_label_fits(world, "1.png", 1)

    with pytest.raises(InvalidRequest):
        make_label(NONE_OF_THE_ABOVE, [image.id], "ann", world.deps)

    assert world.keys("images_labeled_by_folder/") == []
    assert len(groups(world.deps)) == 1


def test_one_of_a_group_stands_for_all_that_look_like_it(world: World) -> None:
    first, other = no_label_fits(world, "1.png", 1), no_label_fits(world, "2.png", 2)
    again = world.put("images_for_detection/again.png", jpeg(1, 240))
    world.deps.detections.receive(again, "2026-01-01T00:00:00.000Z")
    world.deps.table.write(keep(world.detection(again), world.deps))

    found = with_those_alike([first.id], world.deps)

    assert set(found) == {first.id, again.id}
    assert other.id not in found
