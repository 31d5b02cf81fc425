"""Business rule: deploying over the last release replaces nothing that holds data."""

import json

import pytest

from tests.template.reading import ROOT, template

RELEASED = json.loads((ROOT / "tests/template/released/resources-0.1.0.json").read_text())
"""What holds data, by logical id: the properties whose change makes CloudFormation replace it (null
where the release has none), or, of a table's indexes and a pool's schema, refuse the change.
"""


@pytest.mark.parametrize("logical_id", RELEASED)
def test_what_holds_data_is_not_replaced(logical_id: str) -> None:
    released = RELEASED[logical_id]
    now = template()["Resources"].get(logical_id, {"Type": None})

    assert now["Type"] == released["Type"]
    assert now.get("Condition") == released.get("Condition")
    properties = {name: now.get("Properties", {}).get(name) for name in released["Properties"]}
    assert properties == released["Properties"]
