"""The page Settings: every parameter, and who changed it."""

from dataclasses import dataclass
from typing import Annotated

from loupe.console.access import Role, current_user
from loupe.console.answers import All
from loupe.console.requests import Api
from loupe.console.schema import Id, Text
from loupe.services.settings import SettingView, change_setting, stored_settings
from loupe.wiring import deps

LONGEST_VALUE = 4096
"""In bytes: what a parameter of the standard tier takes."""

router = Api()


@dataclass(frozen=True)
class NewValue:
    """What a parameter is set to."""

    value: Annotated[str, Text(LONGEST_VALUE)]


@router.offer("GET", "/settings", Role.OPERATOR)
def settings() -> All[SettingView]:
    """All of them."""
    return {"items": stored_settings(deps())}


@router.offer("PUT", "/settings/<name>", Role.OPERATOR)
def set_setting(name: Id, body: NewValue) -> SettingView:
    """Change one; it takes effect without a deployment."""
    return change_setting(name, body.value, current_user(router).name, deps())
