"""Business rule: an operator sees figures about the reviewers."""

from loupe.console.access import Role
from loupe.services.review_desk import answer
from tests.adapters.world import World
from tests.console.console import Console

OPERATOR = f"[{Role.OPERATOR}]"


def test_each_reviewer_has_figures(console: Console, world: World) -> None:
    world.set(Labels="cat,dog")
    review = world.asked()
    answer(review, "ada", "cat", world.deps)
    world.taken_in(world.output(review))

    known = console.ok("GET", "/api/reviewers", groups=OPERATOR)

    (ada,) = known["reviewers"]
    assert (ada["name"], ada["answers"], ada["seconds"], ada["gold"]) == ("ada", 1, None, 0)
    assert ada["reliability"] == 0.85
    assert ada["labels"] == []
    assert (known["reviews"], known["agreement"], known["minimum"]) == (1, None, 0.7)
