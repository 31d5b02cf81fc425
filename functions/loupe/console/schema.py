"""What a request may hold. A route declares its query, its body and its path with these types:

    @dataclass(frozen=True)
    class Decision:
        label: Label

A field without a default must be sent. `read` makes the dataclass of what was sent, or says which
field is wrong and what it takes. Fields that are not declared are ignored.
"""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import MISSING, Field, dataclass, fields
from datetime import UTC, datetime
from reprlib import repr as shortened
from typing import Annotated, Any, TypeVar, get_type_hints

from loupe.domain.keys import timestamp
from loupe.errors import InvalidRequest

Shape = TypeVar("Shape")


class Kind(ABC):
    """Decides which values a field takes; `takes` says so in words."""

    @property
    @abstractmethod
    def takes(self) -> str: ...

    @abstractmethod
    def accepts(self, value: Any) -> bool: ...

    def check(self, name: str, value: Any) -> Any:
        """Return the value as the route gets it, or raise InvalidRequest that names the field."""
        if not self.accepts(value):
            raise InvalidRequest(f"{name} cannot be {shortened(value)}: it takes {self.takes}.")
        return value


@dataclass(frozen=True)
class Text(Kind):
    """A text of 1 to `longest` bytes of UTF-8, without control characters."""

    longest: int

    @property
    def takes(self) -> str:
        return f"a text of 1 to {self.longest} bytes without control characters"

    def accepts(self, value: Any) -> bool:
        # A character has at least one byte, so a very long text is not looked through.
        if not isinstance(value, str) or not 0 < len(value) <= self.longest:
            return False
        return is_clean(value) and len(value.encode()) <= self.longest


@dataclass(frozen=True)
class AnyText(Kind):
    """Any text of at most `longest` characters, for a rule of its own to judge."""

    longest: int

    @property
    def takes(self) -> str:
        return f"a text of at most {self.longest} characters"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str) and len(value) <= self.longest


@dataclass(frozen=True)
class OneOf(Kind):
    """One of some texts."""

    values: Collection[str]

    @property
    def takes(self) -> str:
        return f"one of {', '.join(self.values)}"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str) and value in self.values


@dataclass(frozen=True)
class Flag(Kind):
    """true or false."""

    takes: str = "true or false"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, bool)


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number within its bounds."""

    low: int
    high: int

    @property
    def takes(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    def accepts(self, value: Any) -> bool:
        return type(value) is int and self.low <= value <= self.high


@dataclass(frozen=True)
class Number(Kind):
    """A finite number within its bounds."""

    low: float
    high: float

    @property
    def takes(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"

    def accepts(self, value: Any) -> bool:
        return type(value) in (int, float) and self.low <= value <= self.high  # no NaN is

    def check(self, name: str, value: Any) -> float:
        return float(super().check(name, value))


@dataclass(frozen=True)
class Instant(Kind):
    """A day or a time, in UTC unless it names a zone; it becomes the text that listings sort by."""

    takes: str = "a day such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z"

    def accepts(self, value: Any) -> bool:
        with suppress(TypeError, ValueError, OverflowError):
            return bool(self._timestamp(value))
        return False

    def check(self, name: str, value: Any) -> str:
        return self._timestamp(super().check(name, value))

    def _timestamp(self, value: str) -> str:
        at = datetime.fromisoformat(value)
        return timestamp((at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC))


@dataclass(frozen=True)
class Position(Kind):
    """The cursor of a page: where the last item of the page before it stands in its listing."""

    takes: str = "the 'next' of the page before"

    def accepts(self, value: Any) -> bool:
        pattern = r"\d{4}-\d\d-\d\d[0-9T:.Z]{0,20}#[!-~]{1,200}"
        return isinstance(value, str) and bool(re.fullmatch(pattern, value, re.ASCII))


@dataclass(frozen=True)
class Many(Kind):
    """A list of 1 to `most` values of a kind, or of objects of a dataclass."""

    item: "Kind | type"
    most: int

    @property
    def takes(self) -> str:
        return f"a list of 1 to {self.most}"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, list) and 0 < len(value) <= self.most

    def check(self, name: str, value: Any) -> tuple[Any, ...]:
        items = enumerate(super().check(name, value))
        kind = Nested(self.item) if isinstance(self.item, type) else self.item
        return tuple(kind.check(f"{name}[{number}]", item) for number, item in items)


@dataclass(frozen=True)
class Nested(Kind):
    """An object of a dataclass."""

    shape: type
    takes: str = "a JSON object"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, dict)

    def check(self, name: str, value: Any) -> Any:
        return read(self.shape, super().check(name, value), f"{name}.")


LONGEST_LABEL = 400
"""In bytes: a label has up to 100 characters."""
MOST_AT_ONCE = 100
"""Items that one request changes, or one page lists, at most."""
IDENTIFIER = Text(100)

Id = Annotated[str, IDENTIFIER]
Ids = Annotated[tuple[str, ...], Many(IDENTIFIER, MOST_AT_ONCE)]
Label = Annotated[str, Text(LONGEST_LABEL)]
Percent = Annotated[float, Number(0, 100)]
Switch = Annotated[bool, Flag()]
Time = Annotated[str, Instant()]


@dataclass(frozen=True)
class PageQuery:
    """Which page of a listing, and of how many items."""

    limit: Annotated[int, Whole(1, MOST_AT_ONCE)] = 50
    cursor: Annotated[str, Position()] = ""


def read(shape: type[Shape], sent: Mapping[str, Any], within: str = "") -> Shape:
    """The dataclass `shape` made of `sent`; raises InvalidRequest that names the first wrong field.

    `within` is where in the request it stands, such as "files[3].".
    """
    values = {}
    for field, kind in kinds(shape).items():
        name = sent_name(field)
        if name in sent:
            values[field.name] = kind.check(within + name, sent[name])
        elif field.default is MISSING:
            raise InvalidRequest(f"The request needs {within}{name}: it takes {kind.takes}.")
    return shape(**values)


def kinds(shape: type) -> "dict[Field[Any], Kind]":
    """Each field of a declared dataclass, and its kind."""
    hints = get_type_hints(shape, include_extras=True)
    return {field: hints[field.name].__metadata__[0] for field in fields(shape)}


def sent_name(field: "Field[Any]") -> str:
    """How a request calls a field; `from_` stands for `from`, which is a word of Python."""
    return field.name.removesuffix("_")


def is_clean(text: str) -> bool:
    """Whether a text has neither control characters nor halves of surrogate pairs.

    Those cannot be written as UTF-8, so no service takes them.
    """
    return all(unicodedata.category(character) not in ("Cc", "Cs") for character in text)
