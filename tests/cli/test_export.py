"""Business rule: what is exported can be imported, and is then as it was."""

from dataclasses import replace
from pathlib import Path

import pytest

from loupe.domain.detection import Label
from loupe.domain.review import ReviewState
from loupe.services.review_answers import record_answers
from loupe_cli.archive import Archive
from loupe_cli.commands.export import write_history
from loupe_cli.commands.import_ import restore_history
from loupe_cli.target import Target
from tests.adapters.conftest import _aws, world
from tests.adapters.world import World

__all__ = ["_aws", "world"]


@pytest.fixture
def finished(world: World) -> str:
    """A review that two people have answered."""
    world.set(Labels="cat,dog", Reviewers_Per_Image="2")
    world.version("v1")
    review = world.asked(Label("cat", 40.0), version="v1")
    record_answers(world.answered(review, "dog", "dog"), world.deps)
    return review


class Memory(Target):
    """The stack in memory."""

    def __init__(self, world: World) -> None:
        super().__init__("loupe")
        self.__dict__["deps"] = world.deps


def test_a_finished_review_is_imported_as_it_was(
    world: World, finished: str, tmp_path: Path
) -> None:
    before, archive = world.deps.reviews.get(finished), Archive(tmp_path / "exported")
    archive.begin({"stack": "loupe"})
    write_history(archive, world.deps)
    changed = replace(before, answers=(), reviewers=1)

    world.deps.reviews.restore(changed)
    restore_history(Memory(world), archive, [], "loupe")

    assert before.state == ReviewState.DONE
    assert [answer.label for answer in before.answers] == ["dog", "dog"]
    assert world.deps.reviews.get(finished) == before
