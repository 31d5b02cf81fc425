"""The page Settings: every parameter, and who changed it."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.adapters.parameters import Stored
from loupe.console.access import OPERATOR, current_user, only
from loupe.console.requests import body, text
from loupe.operations import change_setting, setting_notes
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
    note = setting_notes(deps, known.name)
    ours = bool(stored and note.get("version") == stored.version)
    changed = stored is not None and stored.version > 1
    return {
        "name": known.name,
        "value": stored.value if stored else known.default,
        "default": known.default,
        "allowed": known.allowed,
        "pattern": known.pattern,
        "meaning": known.meaning,
        "changed_by": note["by"] if ours else ("somebody outside Loupe" if changed else ""),
        "changed_at": stored.at if stored and changed else None,
    }
