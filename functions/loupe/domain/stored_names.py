"""Stored names of fields that had another name in an earlier release."""

from collections.abc import Mapping

STORED_NAME = "stored name"


def stored_as(name: str) -> Mapping[str, str]:
    """Metadata of a dataclass field that is stored as `name`."""
    return {STORED_NAME: name}
