"""The one codec between dataclasses and their stored forms: the table's items, the lines of an
export, messages and the input of state machines.

A stored form may come from an earlier or a later release:

- A missing field has the dataclass's default. So a field that a release adds needs a default that
  is true of the records without it.
- An unknown field is not read, and stays in the table: an existing item is written attribute by
  attribute (`table.save`, `table.changed_record`), never as a whole. A value inside an attribute,
  such as the members of a group, is written as a whole.
- A value of another type than the field's is an error that names the record and the attribute.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, asdict, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from loupe.domain.keys import timestamp
from loupe.domain.stored_names import stored_name
from loupe.errors import UnreadableRecord
from loupe.telemetry import logger

Record = TypeVar("Record")
Write = dict[str, Any]
"""One write of a transaction, which one adapter may pass to another."""


class _Mismatch(Exception):
    """What is wrong with a value, and where in the record it stands."""


def to_item(record: Any) -> dict[str, Any]:
    """The fields of a record under their stored names; times as text that sorts."""
    item = asdict(record, dict_factory=_fields)
    return {stored_name(field): item[field.name] for field in fields(record)}


def from_item(kind: type[Record], item: Mapping[str, Any], source: str = "") -> Record:
    """The record that `item` holds; `source` names it in errors (default: its key).

    Raises UnreadableRecord.
    """
    try:
        record: Record = _record(kind, item, "")
    except _Mismatch as mismatch:
        name = source or f"The record {item.get('pk', kind.__name__)} {item.get('sk', '')}".strip()
        raise UnreadableRecord(
            f"{name} cannot be read: {mismatch}. Was it written by a later release, or by hand?"
        ) from mismatch
    return record


def readable(
    read: Callable[[dict[str, Any]], Record], items: Iterable[dict[str, Any]]
) -> Iterator[Record]:
    """The records that `items` hold. One that cannot be read is logged and left out."""
    for item in items:
        try:
            record = read(item)
        except UnreadableRecord as error:
            key = f"{item.get('pk')} {item.get('sk')}"
            logger.error("a record is left out", extra={"record": key, "error": str(error)})
        else:
            yield record


def stored(value: Any) -> Any:
    """A value as DynamoDB's client takes it."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, Mapping):
        return {key: stored(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [stored(inner) for inner in value]
    return value


def plain(value: Any) -> Any:
    """A value as DynamoDB's client gives it, with Python's own numbers and bytes."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value.value if hasattr(value, "value") else value


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: timestamp(v) if isinstance(v, datetime) else v for name, v in pairs}


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _record(kind: Any, value: Any, where: str) -> Any:
    item = _expect(Mapping, value, where)
    values = {}
    for field in fields(kind):
        name = stored_name(field)
        path = f"{where}.{name}" if where else name
        if name in item:
            values[field.name] = _value(_hints(kind)[field.name], item[name], path)
        elif not _has_default(field):
            raise _Mismatch(f"its attribute {path!r} is missing")
    return kind(**values)


def _value(hint: Any, value: Any, where: str) -> Any:
    if is_dataclass(hint):
        return _record(hint, value, where)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _member(hint, value, where)
    read = READERS.get(get_origin(hint) or hint)
    if read is None:
        raise TypeError(f"{where}: the codec has no reader for {hint}")
    return read(get_args(hint), value, where)


def _expect(kind: Any, value: Any, where: str) -> Any:
    # In Python a truth value is a whole number.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        expected = KINDS[kind]
        raise _Mismatch(f"its attribute {where!r} is {value!r:.80}, where {expected} is expected")
    return value


def _optional(hints: tuple[Any, ...], value: Any, where: str) -> Any:
    (hint,) = (each for each in hints if each is not NoneType)
    return None if value is None else _value(hint, value, where)


def _tuple(hints: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    values = enumerate(_expect((list, tuple), value, where))
    return tuple(_value(hints[0], each, f"{where}[{number}]") for number, each in values)


def _mapping(hints: tuple[Any, ...], value: Any, where: str) -> dict[str, Any]:
    items = _expect(Mapping, value, where).items()
    return {name: _value(hints[1], each, f"{where}.{name}") for name, each in items}


def _member(kind: type[StrEnum], value: Any, where: str) -> StrEnum:
    try:
        return kind(_expect(str, value, where))
    except ValueError as error:
        members = ", ".join(kind)
        raise _Mismatch(
            f"its attribute {where!r} is {value!r:.80}, which is none of {members}"
        ) from error


def _time(_: tuple[Any, ...], value: Any, where: str) -> datetime:
    try:
        return datetime.fromisoformat(_expect(str, value, where))
    except ValueError as error:
        raise _Mismatch(f"its attribute {where!r} is {value!r:.80}, which is no time") from error


KINDS: Mapping[Any, str] = {
    Mapping: "a map",
    (list, tuple): "a list",
    (int, float): "a number",
    int: "a whole number",
    str: "a text",
    bool: "true or false",
    bytes: "bytes",
}
READERS: Mapping[Any, Callable[[tuple[Any, ...], Any, str], Any]] = {
    Any: lambda _hints, value, _where: value,
    str: lambda _, value, where: _expect(str, value, where),
    int: lambda _, value, where: _expect(int, value, where),
    float: lambda _, value, where: float(_expect((int, float), value, where)),
    bool: lambda _, value, where: _expect(bool, value, where),
    bytes: lambda _, value, where: _expect(bytes, value, where),
    datetime: _time,
    UnionType: _optional,
    tuple: _tuple,
    Mapping: _mapping,
}
