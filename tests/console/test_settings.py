"""Business rule: an operator changes every setting here, and sees who changed it last."""

import pytest

from loupe.console.access import Role
from loupe.domain.settings import CATALOGUE
from tests.adapters.world import World
from tests.console.console import Console

OPERATOR = f"[{Role.OPERATOR}]"
F1 = "Minimum-F1-Score"


@pytest.fixture(autouse=True)
def parameters(world: World) -> None:
    world.make_parameters()


def test_every_setting_is_listed_with_what_it_takes_and_means(console: Console) -> None:
    items = console.ok("GET", "/api/settings", groups=OPERATOR)["items"]

    assert [item["name"] for item in items] == [setting.name for setting in CATALOGUE]
    setting = next(setting for setting in CATALOGUE if setting.name == F1)
    (shown,) = [item for item in items if item["name"] == F1]
    assert shown == {
        "name": F1,
        "value": "0.8",
        "default": "0.8",
        "allowed": setting.allowed,
        "pattern": setting.pattern,
        "meaning": setting.meaning,
        "changed_by": "",
        "changed_at": None,
    }


def test_a_change_counts_at_once_and_is_its_operators(console: Console, world: World) -> None:
    changed = console.ok(
        "PUT", f"/api/settings/{F1}", {"value": "0.25"}, name="olga", groups=OPERATOR
    )

    assert (changed["value"], changed["default"]) == ("0.25", "0.8")
    assert changed["changed_by"] == "olga"
    assert changed["changed_at"].startswith("2026-01-01T12:00:")
    assert world.settings().minimum_f1 == 0.25
    (listed,) = [i for i in console.ok("GET", "/api/settings")["items"] if i["name"] == F1]
    assert listed == changed


def test_a_value_that_is_not_allowed_changes_nothing(console: Console, world: World) -> None:
    response = console.ask("PUT", f"/api/settings/{F1}", {"value": "1.5"})

    assert response.status == 400
    assert F1 in response.body["message"]
    assert world.settings().minimum_f1 == 0.8


def test_what_is_no_setting_cannot_be_set(console: Console) -> None:
    response = console.ask("PUT", "/api/settings/Nothing", {"value": "1"})

    assert response.status == 404
    assert "Nothing" in response.body["message"]
