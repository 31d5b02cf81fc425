"""What the kinds of a request's fields take."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loupe.console.schema import Flag, Instant, Kind, Many, Number, OneOf, Position, Text, Whole
from loupe.errors import InvalidRequest

KINDS = [
    Text(10),
    OneOf(("a", "b")),
    Flag(),
    Whole(0, 5),
    Number(0, 5),
    Instant(),
    Position(),
    Many(Text(3), 2),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
@given(value=VALUES | st.sampled_from([10**400, -(10**400), "\ud800", "9999-12-31T23:59-23:00"]))
def test_a_kind_takes_a_value_or_says_what_it_takes(kind: Kind, value: Any) -> None:
    """Given any JSON, then a field is taken, or refused in words that name it."""
    try:
        kind.check("field", value)
    except InvalidRequest as refused:
        said = r"field(\[\d\])? cannot be .*: it takes ."
        assert re.match(said, str(refused), re.DOTALL)


@pytest.mark.parametrize("value", [10**400, float("inf"), float("nan"), -1, 5.1, "1", True])
def test_a_number_is_finite_and_within_its_bounds(value: Any) -> None:
    """Given no number, one that is not finite, or one out of bounds, then it is refused."""
    with pytest.raises(InvalidRequest, match="a number from 0 to 5"):
        Number(0, 5).check("field", value)
