"""The page Settings: every parameter, and who changed it."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.adapters.parameters import Stored
from loupe.adapters.setting_changes import SettingChange
from loupe.console.access import OPERATOR, current_user, only
from loupe.console.requests import body, text
from loupe.operations import change_setting
from loupe.settings import CATALOGUE, Setting
from loupe.wiring import Deps, deps

router = Router()


@router.get("/settings", middlewares=only(OPERATOR))
def settings() -> dict[str, Any]:
    """All of them."""
    stored = deps().parameters.stored()
    return {"items": [_shown(known, stored.get(known.name), deps()) for known in CATALOGUE]}


@router.put("/settings/<name>", middlewares=only(OPERATOR))
def set_setting(name: str) -> dict[str, Any]:
    """Change one; it takes effect without a deployment."""
    known = change_setting(name, text(body(router), "value"), current_user(router).name, deps())
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
