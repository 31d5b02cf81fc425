"""Business rule: records outlive a release. What another release wrote is read, and kept."""

import ast
import importlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loupe.adapters.detections import detection_of
from loupe.adapters.items import from_item, plain, readable, stored, to_item
from loupe.domain.keys import timestamp
from loupe.domain.stored_names import stored_name
from loupe.errors import UnreadableRecord

ROOT = Path(__file__).parents[2]
RELEASED = json.loads((ROOT / "tests/upgrade/released/0.1.0/required.json").read_text())
"""The fields without a default of each record type, as release 0.1.0 wrote them."""
RENAMED = {
    "Answer": "Reply",
    "GroupMember": "Member",
    "LabelledImage": "Example",
    "ModelOutput": "Answer",
}
"""Record types that release 0.1.0 knew under another name."""


def record_types() -> Iterator[type]:
    """Every type that some module reads with `from_item`, and the types inside it."""
    for path in sorted((ROOT / "functions/loupe").rglob("*.py")):
        calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
        names = {
            call.args[0].id
            for call in calls
            if isinstance(call.func, ast.Name) and call.func.id == "from_item"
            if isinstance(call.args[0], ast.Name)
        }
        if names:
            parts = path.relative_to(ROOT / "functions").with_suffix("").parts
            module = importlib.import_module(".".join(parts))
            for name in names:
                yield from with_parts(getattr(module, name))


def with_parts(kind: Any) -> Iterator[type]:
    if is_dataclass(kind):
        yield kind  # type: ignore[misc]
        for hint in get_type_hints(kind).values():
            yield from with_parts(hint)
    for inner in get_args(kind):
        yield from with_parts(inner)


TYPES = sorted(set(record_types()), key=lambda kind: kind.__name__)
every_type = pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)

NUMBERS = st.integers(-(10**6), 10**6).map(lambda n: n / 100)
TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)).map(
    lambda at: datetime.fromisoformat(timestamp(at.replace(tzinfo=UTC)))
)
PLAIN = {
    str: st.text(max_size=5),
    int: st.integers(-(10**9), 10**9),
    float: NUMBERS,
    bool: st.booleans(),
    datetime: TIMES,
    Any: st.none() | st.booleans() | st.text(max_size=3) | st.lists(st.integers(0, 9), max_size=2),
}


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    arguments, origin = get_args(hint), get_origin(hint)
    if is_dataclass(hint):
        return records_of(hint)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return st.sampled_from(hint)
    if origin is UnionType:
        return st.one_of(*(st.none() if a is NoneType else values_of(a) for a in arguments))
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(st.text(max_size=3), values_of(arguments[1]), max_size=2)
    return PLAIN[hint]


def records_of(kind: Any) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: values_of(hints[field.name]) for field in fields(kind)})


def has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def test_the_types_that_everything_rests_on_are_found() -> None:
    names = {kind.__name__ for kind in TYPES}

    assert {"Detection", "Review", "LabelledImage", "Group", "Version", "Service", "Look"} <= names


@every_type
@given(data=st.data())
def test_a_record_survives_the_table_and_json(kind: type, data: st.DataObject) -> None:
    record = data.draw(records_of(kind))

    assert from_item(kind, plain(stored(to_item(record)))) == record
    assert from_item(kind, json.loads(json.dumps(to_item(record)))) == record


@every_type
@given(data=st.data())
def test_a_missing_field_has_its_default_and_an_unknown_one_is_not_read(
    kind: Any, data: st.DataObject
) -> None:
    record = data.draw(records_of(kind))
    optional = [field for field in fields(kind) if has_default(field)]
    missing = data.draw(st.lists(st.sampled_from(optional), unique=True)) if optional else []
    item = to_item(record) | {"of a later release": {"a": [1]}}
    for field in missing:
        del item[stored_name(field)]

    read = from_item(kind, item)

    for field in fields(kind):
        expected = default(field) if field in missing else getattr(record, field.name)
        assert getattr(read, field.name) == expected


@every_type
def test_only_fields_of_the_last_release_have_no_default(kind: Any) -> None:
    required = [stored_name(field) for field in fields(kind) if not has_default(field)]
    released = RELEASED.get(RENAMED.get(kind.__name__, kind.__name__), required)

    assert required == released, (
        f"{kind.__name__} is stored by release 0.1.0 without some of these: give a new field a "
        "default that is true of the records without it."
    )


@dataclass(frozen=True)
class Part:
    n: int


@dataclass(frozen=True)
class Whole:
    parts: tuple[Part, ...]
    by_name: Mapping[str, Part]
    at: datetime
    share: float = 0.0


WHOLE = {"pk": "A#1", "sk": "A", "parts": [{"n": 1}], "by_name": {}, "at": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"parts": [{"n": 1}, {"n": "two"}]}, "'parts[1].n' is 'two', where a whole number"),
        ({"parts": [{"n": True}]}, "'parts[0].n' is True, where a whole number"),
        ({"parts": [{"n": 1.5}]}, "'parts[0].n' is 1.5"),
        ({"parts": "many"}, "'parts' is 'many', where a list"),
        ({"parts": [7]}, "'parts[0]' is 7, where a map"),
        ({"parts": [{}]}, "'parts[0].n' is missing"),
        ({"by_name": {"b": {"n": None}}}, "'by_name.b.n' is None"),
        ({"at": "yesterday"}, "'at' is 'yesterday', which is no time"),
        ({"share": "half"}, "'share' is 'half', where a number"),
    ],
)
def test_a_value_of_another_kind_is_named_with_its_record(
    change: dict[str, Any], says: str
) -> None:
    with pytest.raises(UnreadableRecord) as error:
        from_item(Whole, WHOLE | change)

    assert "A#1 A" in str(error.value)
    assert says in str(error.value)


def test_an_unreadable_record_keeps_back_no_other() -> None:
    items: list[dict[str, Any]] = [{"pk": "A", "n": 1}, {"pk": "B", "n": "?"}, {"pk": "C", "n": 3}]

    assert list(readable(lambda item: from_item(Part, item), items)) == [Part(1), Part(3)]


def test_an_answer_of_0_1_0_that_no_label_fits_is_read_once() -> None:
    """Its mark stays in the item when this release writes the record."""
    image = {"bucket": "b", "key": "k", "version": "", "etag": "e", "size": 1}
    item = {"image": image, "state": "answered", "at": "", "labels": [], "none_of_the_above": True}

    first = detection_of(item)
    decided = first.answered("cat", "an operator decided")

    assert first.none_of_the_above
    assert detection_of(item | to_item(first)) == first
    assert detection_of(item | to_item(decided)) == decided
