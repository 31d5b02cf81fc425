"""How far work that goes through a listing in parts has come."""

from collections.abc import Mapping
from typing import Any

from loupe.adapters.table import Item, Table, save


class Pointers:
    """One item for each such work."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, work: str, start: Mapping[str, Any]) -> Item:
        """Where `work` goes on; `start` before its first part."""
        return self._table.get("STATE", work) or dict(start)

    def save(self, work: str, values: Mapping[str, Any]) -> None:
        """Keep where `work` goes on."""
        self._table.write([save({**values, "pk": "STATE", "sk": work})])
