"""Names under which records are stored, where an earlier release gave a field another one."""

from collections.abc import Mapping

STORED_NAME = "stored name"


def stored_as(name: str) -> Mapping[str, str]:
    """Metadata of a dataclass's field that records hold as `name`."""
    return {STORED_NAME: name}
