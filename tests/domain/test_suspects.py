"""Business rule: labels that a model believes least, which never saw them, are looked at again."""

from hypothesis import given
from hypothesis import strategies as st

from loupe.domain.comparison import Prediction
from loupe.domain.labelled_images import Group, GroupMember, Split
from loupe.domain.suspects import (
    LEAST_LEAD,
    Opinion,
    Scored,
    Suspect,
    find_suspects,
    suspects_of,
)

SURE = [Scored(f"{label} {n}", label, {label: 90.0}) for label in ("cat", "dog") for n in range(5)]


def found(*images: Scored) -> list[str]:
    return [suspect.id for suspect in find_suspects([*SURE, *images])]


def test_an_image_that_the_model_is_sure_is_another_label_is_one() -> None:
    (suspect,) = find_suspects([*SURE, Scored("x", "cat", {"dog": 95.0, "cat": 4.0})])

    assert suspect == Suspect("x", "cat", "dog", 91.0)


def test_an_image_that_the_model_hesitates_about_is_none() -> None:
    assert found(Scored("x", "cat", {"dog": 51.0, "cat": 49.0})) == []
    assert found(Scored("x", "cat", {})) == []


def test_how_sure_is_usual_differs_by_label() -> None:
    weak = [Scored(f"emu {n}", "emu", {"emu": 40.0}) for n in range(5)]

    assert found(*weak, Scored("x", "cat", {"emu": 45.0, "cat": 10.0})) == ["x"]
    assert found(Scored("y", "cat", {"dog": 45.0, "cat": 10.0})) == []


def test_the_most_doubtful_comes_first() -> None:
    doubtful = Scored("much", "cat", {"dog": 99.0})
    less = Scored("less", "cat", {"dog": 92.0, "cat": 8.0})

    assert found(less, doubtful) == ["much", "less"]


images = st.builds(
    Scored,
    st.uuids().map(str),
    st.sampled_from(["cat", "dog", "emu"]),
    st.dictionaries(st.sampled_from(["cat", "dog", "emu"]), st.floats(0, 100)),
)


@given(st.lists(images, unique_by=lambda image: image.id))
def test_a_suspect_is_another_label_with_a_lead(scored: list[Scored]) -> None:
    by_id = {image.id: image for image in scored}

    for suspect in find_suspects(scored):
        image = by_id[suspect.id]
        assert suspect.instead != image.label == suspect.label
        assert suspect.lead >= LEAST_LEAD
        assert suspect.lead == image.scores[suspect.instead] - image.own


# Which version is asked


def group(number: int, label: str = "cat", *copies: int) -> Group:
    """A picture, whose content is its number, and its near duplicates."""
    members = (
        GroupMember(f"images_labeled_by_folder/{label}/{n}.png", label, "v", str(n))
        for n in (number, *copies)
    )
    return Group(str(number), Split.TRAIN, True, tuple(members))


def says(version: str, label: str, *numbers: int, trained_on: tuple[str, ...] = ()) -> Opinion:
    """A version that is sure that pictures show `label`, and right of cats from 90 on."""
    predictions = {str(n): Prediction(label, 95.0, {label: 95.0, "cat": 2.0}) for n in numbers}
    right = {str(n): Prediction("cat", 95.0, {"cat": 95.0}) for n in CATS}
    return Opinion(version, ("cat", "dog"), {**right, **predictions}, trained_on)


CATS = range(90, 99)
PICTURES = [group(number) for number in (1, *CATS)]


def doubted(*opinions: Opinion, pictures: list[Group] = PICTURES) -> list[tuple[str, str]]:
    return [(each.name, each.version) for each in suspects_of(pictures, opinions, "2026")]


def test_a_suspect_names_the_version_that_doubts_its_label() -> None:
    (suspect,) = suspects_of(PICTURES, [says("v2", "dog", 1)], "2026")

    assert (suspect.name, suspect.label, suspect.instead) == ("cat/1.png", "cat", "dog")
    assert (suspect.version, suspect.lead) == ("v2", 93.0)


def test_the_newest_version_that_says_something_has_the_say() -> None:
    assert doubted(says("v3", "cat", 1), says("v2", "dog", 1)) == []
    assert doubted(says("v3", "dog", 1), says("v2", "cat", 1)) == [("cat/1.png", "v3")]


def test_a_version_that_was_trained_on_the_image_is_not_asked() -> None:
    trained = says("v3", "cat", 1, trained_on=("1",))

    assert doubted(trained, says("v2", "dog", 1)) == [("cat/1.png", "v2")]
    assert doubted(trained) == []


def test_nor_is_one_that_was_trained_on_a_near_duplicate() -> None:
    pictures = [group(1, "cat", 2), *PICTURES[1:]]

    assert doubted(says("v2", "dog", 1, trained_on=("2",)), pictures=pictures) == []
    assert doubted(says("v2", "dog", 2), pictures=pictures) == [("cat/1.png", "v2")]


def test_nor_is_one_that_does_not_know_the_label() -> None:
    pictures = [group(1, "emu"), *PICTURES[1:]]

    assert doubted(says("v2", "dog", 1), pictures=pictures) == []


def test_predictions_of_an_earlier_release_have_one_label_only() -> None:
    predictions = {str(n): Prediction("cat", 95.0) for n in CATS} | {"1": Prediction("dog", 95.0)}

    assert doubted(Opinion("v1", ("cat", "dog"), predictions)) == [("cat/1.png", "v1")]
