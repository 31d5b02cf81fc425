"""Business rule: a setting is one parameter, the same in the catalogue and in the template."""

import json

import pytest

from loupe.domain.settings import BY_NAME, CATALOGUE, Setting
from tests.template.reading import ROOT, STACK, properties, resources, template

PREFIX = f"/{STACK}/"
RELEASED = json.loads((ROOT / "tests/template/released/parameters-0.1.0.json").read_text())
"""Parameters of the last release, by logical id."""
WAS_RELEASED = {found["Name"].rpartition("/")[2] for found in RELEASED.values()}
PARAMETERS = [properties(name) for name in resources("AWS::SSM::Parameter")]
NAMES = [parameter["Name"] for parameter in PARAMETERS]

every_setting = pytest.mark.parametrize("setting", CATALOGUE, ids=lambda setting: setting.name)


@every_setting
def test_a_setting_has_one_parameter_that_says_the_same(setting: Setting) -> None:
    (parameter,) = [p for p in PARAMETERS if p["Name"] == PREFIX + setting.name]

    assert {**parameter, "AllowedPattern": setting.pattern} == {
        "Name": PREFIX + setting.name,
        "Type": "String",
        "Value": setting.default,
        "AllowedPattern": setting.pattern,
        "Description": parameter["Description"],
    }
    words = (parameter["AllowedPattern"], parameter["Description"])
    assert words == (setting.pattern, setting.meaning) or setting.name in WAS_RELEASED


@pytest.mark.parametrize("logical_id", RELEASED)
def test_a_released_parameter_stays_as_it_is(logical_id: str) -> None:
    """CloudFormation would write its value over the operator's; ApplySettings tightens patterns."""
    now = template()["Resources"][logical_id]["Properties"]

    assert {**now, "Name": now["Name"]["Fn::Sub"]} == RELEASED[logical_id]


def test_a_parameter_is_a_setting() -> None:
    assert {name.removeprefix(PREFIX) for name in NAMES} == set(BY_NAME)


def test_no_two_parameters_share_a_name() -> None:
    assert len(NAMES) == len(set(NAMES)) == len(CATALOGUE)


@every_setting
def test_a_default_is_allowed(setting: Setting) -> None:
    assert setting.check(setting.default) == setting.default


@every_setting
def test_a_parameter_is_within_the_limits_of_parameter_store(setting: Setting) -> None:
    assert len(setting.pattern) <= 1024
    assert len(setting.meaning) <= 1024
    assert 1 <= len(setting.default) <= 4096
