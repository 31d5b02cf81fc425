"""Business rule: labels that a model believes least, which never saw them, are looked at again."""

from hypothesis import given
from hypothesis import strategies as st

from loupe.domain.suspects import LEAST_LEAD, Scored, Suspect, find_suspects

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
