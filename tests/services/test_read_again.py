"""Business rule: an image that failed or was rejected can be brought back while it exists."""

import pytest

from loupe.domain.detection import DetectionState, ModelOutput
from loupe.domain.keys import ImageRef
from loupe.services.detection import NO_OUTPUT, read_again, record
from tests.adapters.world import World, png


def ended(world: World, state: DetectionState, name: str = "1.png") -> ImageRef:
    """An image whose reading has ended as `state`."""
    image = world.received(name)
    record(image.id, state, NO_OUTPUT, "the model was away", world.deps)
    return image


@pytest.mark.parametrize("state", [DetectionState.FAILED, DetectionState.REJECTED])
def test_an_image_that_was_not_read_waits_and_is_queued_with_an_event(
    world: World, state: DetectionState
) -> None:
    image = ended(world, state)

    assert read_again([image.id], "ann", world.deps) == {}

    assert world.detection(image).state == DetectionState.WAITING
    assert world.detection(image).reason == ""
    assert [event["detail"]["object"]["key"] for event in world.queued()] == [image.key]
    (told,) = world.events("ImageWaiting")
    assert f"ann asked for it, which was {state} (the model was away)" in told["text"]


def test_asking_twice_queues_once(world: World) -> None:
    image = ended(world, DetectionState.FAILED)

    for _ in range(2):
        assert read_again([image.id, image.id], "ann", world.deps) == {}

    assert len(world.queued()) == 1
    assert len(world.events("ImageWaiting")) == 1


def test_an_image_that_fails_again_is_told_of_again(world: World) -> None:
    image = ended(world, DetectionState.FAILED)
    read_again([image.id], "ann", world.deps)

    record(image.id, DetectionState.FAILED, NO_OUTPUT, "again", world.deps)

    assert len(world.events("ImageFailed")) == 2
    assert read_again([image.id], "ann", world.deps) == {}
    record(image.id, DetectionState.ACCEPTED, ModelOutput("labels", (), "v1"), "", world.deps)
    assert len(world.events("ImageAccepted")) == 1


@pytest.mark.parametrize("version_too", [False, True])
def test_an_image_that_was_deleted_says_so_and_the_others_are_read(
    world: World, version_too: bool
) -> None:
    gone, there = (
        ended(world, DetectionState.REJECTED),
        ended(world, DetectionState.REJECTED, "2.png"),
    )
    if version_too:
        world.s3.delete_object(Bucket=gone.bucket, Key=gone.key, VersionId=gone.version)
    else:
        world.remove(gone.key)

    refused = read_again([gone.id, there.id], "ann", world.deps)

    assert list(refused) == [gone.id]
    assert "'1.png' was deleted from the bucket" in refused[gone.id]
    assert world.detection(gone).state == DetectionState.REJECTED
    assert world.detection(there).state == DetectionState.WAITING


def test_an_older_version_is_read_though_a_newer_one_has_its_name(world: World) -> None:
    image = ended(world, DetectionState.FAILED)
    world.put(image.key, png(2))

    assert read_again([image.id], "ann", world.deps) == {}
    assert world.detection(image).state == DetectionState.WAITING


def test_an_image_that_was_read_or_is_unknown_is_refused_in_words(world: World) -> None:
    image = world.accepted("1.png")

    refused = read_again([image.id, "nothing"], "ann", world.deps)

    assert "is accepted" in refused[image.id]
    assert "no image 'nothing'" in refused["nothing"]
    assert world.queued() == []
