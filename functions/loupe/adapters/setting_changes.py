"""Who changed a parameter last: Parameter Store only knows that it was changed."""

from dataclasses import dataclass

from loupe.adapters.items import from_item, to_item
from loupe.adapters.parameters import Stored
from loupe.adapters.table import Table, save

SOMEBODY = "somebody outside Loupe"


@dataclass(frozen=True)
class SettingChange:
    """Who changed a parameter, and when; both "" for one that nobody changed."""

    by: str = ""
    at: str = ""


class SettingChanges:
    """One item a parameter, which holds for one version of it."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def last(self, name: str, stored: Stored) -> SettingChange:
        """The last change of a parameter that is stored so."""
        note = self._table.get(f"SETTING#{name}", "SETTING") or {}
        if note.get("version") == stored.version:
            return from_item(SettingChange, note)
        return SettingChange(SOMEBODY, stored.at) if stored.version > 1 else SettingChange()

    def note(self, name: str, change: SettingChange, version: int) -> None:
        """Remember the change that made `version` of a parameter."""
        note = {"pk": f"SETTING#{name}", "sk": "SETTING", "version": version, **to_item(change)}
        self._table.write([save(note)])
