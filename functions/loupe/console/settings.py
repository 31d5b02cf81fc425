"""The page Settings: every parameter, and who changed it."""

from dataclasses import dataclass
from typing import Annotated, TypedDict

from loupe.console.access import Role, current_user
from loupe.console.answers import All
from loupe.console.requests import Api
from loupe.console.schema import Id, Text
from loupe.services.settings import StoredSetting, change_setting, stored_settings
from loupe.wiring import deps

LONGEST_VALUE = 4096
"""In bytes: what a parameter of the standard tier takes."""

router = Api()


@dataclass(frozen=True)
class NewValue:
    """What a parameter is set to."""

    value: Annotated[str, Text(LONGEST_VALUE)]


class SettingView(TypedDict):
    """A parameter, what it may be, and who changed it last and when."""

    name: str
    value: str
    default: str
    allowed: str
    pattern: str
    meaning: str
    changed_by: str
    changed_at: str | None


@router.offer("GET", "/settings", Role.OPERATOR)
def settings() -> All[SettingView]:
    """All of them."""
    return {"items": [_shown(stored) for stored in stored_settings(deps())]}


@router.offer("PUT", "/settings/<name>", Role.OPERATOR)
def set_setting(name: Id, body: NewValue) -> SettingView:
    """Change one; it takes effect without a deployment."""
    return _shown(change_setting(name, body.value, current_user(router).name, deps()))


def _shown(stored: StoredSetting) -> SettingView:
    return {
        "name": stored.setting.name,
        "value": stored.value,
        "default": stored.setting.default,
        "allowed": stored.setting.allowed,
        "pattern": stored.setting.pattern,
        "meaning": stored.setting.meaning,
        "changed_by": stored.changed_by,
        "changed_at": stored.changed_at or None,
    }
