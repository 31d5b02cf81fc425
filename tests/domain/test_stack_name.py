"""Business rule: a stack's name fits everything that is named after it."""

import pytest

from loupe.domain.stack_name import LONGEST, LONGEST_WITH_TEAM, check_stack_name
from loupe.errors import InvalidRequest


@pytest.mark.parametrize("name", ["loupe", "loupe-prod", "Loupe", "l" * LONGEST, "cognito", "x-"])
def test_a_name_that_works_is_taken(name: str) -> None:
    check_stack_name(name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("l" * (LONGEST + 1), "it has 52 characters, and a stack can have 51"),
        ("aws-loupe", "Parameter Store reserves"),
        ("SSMloupe", "Parameter Store reserves"),
    ],
)
def test_a_name_that_cannot_work_is_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_stack_name(name)

    assert repr(name) in str(refused.value)
    assert reason in str(refused.value)
    assert "--stack-name" in str(refused.value)


@pytest.mark.parametrize("name", ["Loupe", "loupe-", "loupe_1"])
def test_amazon_a2i_takes_fewer_names(name: str) -> None:
    with pytest.raises(InvalidRequest, match="Amazon A2I takes lower-case letters"):
        check_stack_name(name, uses_a2i=True)


@pytest.mark.parametrize("name", ["l" * (LONGEST_WITH_TEAM + 1), "my-aws-loupe", "amazon-logos"])
def test_a_work_team_of_its_own_takes_fewer_names(name: str) -> None:
    check_stack_name(name, uses_a2i=True)

    with pytest.raises(InvalidRequest):
        check_stack_name(name, uses_a2i=True, makes_team=True)
