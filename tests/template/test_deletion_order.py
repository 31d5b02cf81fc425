"""Business rule: CloudFormation deletes in an order in which nothing hangs, and nothing that bills
is started again. It deletes what depends on a resource before the resource."""

from typing import Any

import pytest

from tests.template.reading import references, resources, template

CUSTOM = {
    name: resource
    for name, resource in template()["Resources"].items()
    if resource["Type"].startswith("Custom::")
}
PROVIDERS = {
    name: next(iter(references(resource["Properties"]["ServiceToken"])))
    for name, resource in CUSTOM.items()
}
"""`{custom resource: the function that makes and deletes it}`."""


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def test_rounds_are_ended_before_their_machine_is_deleted() -> None:
    assert "ImproveMachine" in references(CUSTOM["Rounds"]["Properties"])


def test_what_could_start_a_model_is_gone_before_the_project_is_deleted() -> None:
    everybody = template()["Globals"]["Function"]["Environment"]["Variables"]
    without = {
        name
        for name, function in resources("AWS::Serverless::Function").items()
        if function["Properties"].get("Environment", {}).get("Variables", {}).get("LOUPE_PROJECT")
        == ""
    }

    assert everybody["LOUPE_PROJECT"] == {"Ref": "Project"}
    assert without <= set(PROVIDERS.values())


@pytest.mark.parametrize("name", CUSTOM)
def test_the_rights_of_a_custom_resources_function_outlive_the_resource(name: str) -> None:
    """A role's own policies do; one that stands by itself could be deleted first."""
    role = f"{PROVIDERS[name]}Role"
    apart = {
        policy
        for policy, found in resources("AWS::IAM::Policy").items()
        if role in references(found["Properties"]["Roles"])
    }

    assert apart <= set(listed(CUSTOM[name].get("DependsOn", [])))


def test_a_function_may_invoke_itself_and_no_other() -> None:
    (policy,) = resources("AWS::IAM::Policy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]

    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Resource"] == {"Fn::GetAtt": "ProvisionProject.Arn"}
    assert policy["Properties"]["Roles"] == [{"Ref": "ProvisionProjectRole"}]
