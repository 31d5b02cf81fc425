"""Names under which records are stored, where an earlier release gave a field another one."""

from collections.abc import Mapping
from dataclasses import Field
from typing import Any

STORED_NAME = "stored name"


def stored_as(name: str) -> Mapping[str, str]:
    """Metadata of a dataclass's field that records hold as `name`."""
    return {STORED_NAME: name}


def stored_name(field: Field[Any]) -> str:
    """The name under which records hold a dataclass's field."""
    return str(field.metadata.get(STORED_NAME, field.name))
