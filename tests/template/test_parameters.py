"""Business rule: a setting is one parameter, the same in the catalogue and in the template."""

import pytest

from loupe.settings import BY_NAME, CATALOGUE, Setting
from tests.template.reading import STACK, properties, resources

PREFIX = f"/{STACK}/"
PARAMETERS = [properties(name) for name in resources("AWS::SSM::Parameter")]
NAMES = [parameter["Name"] for parameter in PARAMETERS]

every_setting = pytest.mark.parametrize("setting", CATALOGUE, ids=lambda setting: setting.name)


@every_setting
def test_a_setting_has_one_parameter_that_says_the_same(setting: Setting) -> None:
    (parameter,) = [p for p in PARAMETERS if p["Name"] == PREFIX + setting.name]

    assert parameter == {
        "Name": PREFIX + setting.name,
        "Type": "String",
        "Value": setting.default,
        "AllowedPattern": setting.pattern,
        "Description": setting.meaning,
    }


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
