"""The page Settings: every parameter, and who changed it."""

from dataclasses import dataclass
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.adapters.parameters import Stored
from loupe.adapters.setting_changes import SettingChange
from loupe.console.access import OPERATOR, current_user, only
from loupe.console.requests import checked
from loupe.console.schema import Id, Text
from loupe.operations import change_setting
from loupe.settings import CATALOGUE, Setting
from loupe.wiring import Deps, deps

LONGEST_VALUE = 4096
"""In bytes: what a parameter of the standard tier takes."""

router = Router()


@dataclass(frozen=True)
class NewValue:
    """What a parameter is set to."""

    value: Annotated[str, Text(LONGEST_VALUE)]


@router.get("/settings", middlewares=only(OPERATOR))
def settings() -> dict[str, Any]:
    """All of them."""
    stored = deps().parameters.stored()
    return {"items": [_shown(known, stored.get(known.name), deps()) for known in CATALOGUE]}


@router.put("/settings/<name>", middlewares=only(OPERATOR))
@checked(router)
def set_setting(name: Id, body: NewValue) -> dict[str, Any]:
    """Change one; it takes effect without a deployment."""
    known = change_setting(name, body.value, current_user(router).name, deps())
    return _shown(known, deps().parameters.stored().get(known.name), deps())


def _shown(known: Setting, stored: Stored | None, deps: Deps) -> dict[str, Any]:
    change = deps.setting_changes.last(known.name, stored) if stored else SettingChange()
    return {
        "name": known.name,
        "value": stored.value if stored else known.default,
        "default": known.default,
        "allowed": known.allowed,
        "pattern": known.pattern,
        "meaning": known.meaning,
        "changed_by": change.by,
        "changed_at": change.at or None,
    }
