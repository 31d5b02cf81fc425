"""Progress of work that goes through a listing in parts."""

from collections.abc import Mapping
from typing import Any

from loupe.adapters.table import Item, TableAdapter, save


class Pointers(TableAdapter):
    """One item for each such work."""

    def get(self, work: str, start: Mapping[str, Any]) -> Item:
        """Where `work` continues; `start` before its first part."""
        return self._table.get("STATE", work) or dict(start)

    def save(self, work: str, values: Mapping[str, Any]) -> None:
        """Store where `work` continues."""
        self._table.write([save({**values, "pk": "STATE", "sk": work})])
