"""Who last changed a setting: Parameter Store only records that it was changed."""

from dataclasses import dataclass

from loupe.adapters.items import from_item, to_item
from loupe.adapters.parameters import Stored
from loupe.adapters.table import TableAdapter, save

SOMEBODY = "somebody outside Loupe"


@dataclass(frozen=True)
class SettingChange:
    """Who changed a parameter, and when; both "" for one that nobody changed."""

    by: str = ""
    at: str = ""


class SettingChanges(TableAdapter):
    """One item for each parameter, which holds for one version of it."""

    def last(self, name: str, stored: Stored) -> SettingChange:
        """The last change of a parameter with this stored value."""
        item = self._table.get(f"SETTING#{name}", "SETTING") or {}
        if item.get("version") == stored.version:
            return from_item(SettingChange, item)
        return SettingChange(SOMEBODY, stored.at) if stored.version > 1 else SettingChange()

    def note(self, name: str, change: SettingChange, version: int) -> None:
        """Store the change that made `version` of a parameter."""
        item = {"pk": f"SETTING#{name}", "sk": "SETTING", "version": version, **to_item(change)}
        self._table.write([save(item)])
