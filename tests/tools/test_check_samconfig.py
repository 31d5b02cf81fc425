"""Business rule: a stack name that cannot work is refused before anything is built or made."""

import tomllib
from pathlib import Path

import pytest

from loupe.errors import InvalidRequest
from loupe_cli.target import ROOT
from tools.check_samconfig import check_samconfig

SAMCONFIG = ROOT / "samconfig.toml"


def config(tmp_path: Path, name: str, overrides: str = "") -> Path:
    path = tmp_path / "samconfig.toml"
    path.write_text(
        f'[prod.global.parameters]\nstack_name = "{name}"\n'
        f"[prod.deploy.parameters]\nparameter_overrides = '{overrides}'\n"
    )
    return path


@pytest.mark.parametrize("environment", ["default", "dev", "prod"])
def test_the_names_of_this_checkout_work(environment: str) -> None:
    assert environment in tomllib.loads(SAMCONFIG.read_text())

    check_samconfig(SAMCONFIG, environment)


@pytest.mark.parametrize(
    ("name", "overrides", "reason"),
    [
        ("l" * 52, "", "52 characters"),
        ("Loupe", 'TaskTitle="What is it?" HumanReview=a2i WorkteamArn=arn', "Amazon A2I takes"),
        ("l" * 43, 'HumanReview="a2i" FirstWorkerEmail=ann@example.com', "work team of its own"),
    ],
)
def test_a_name_that_cannot_work_is_refused(
    tmp_path: Path, name: str, overrides: str, reason: str
) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        check_samconfig(config(tmp_path, name, overrides), "prod")


def test_an_environment_without_a_name_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no stack_name for 'dev'"):
        check_samconfig(config(tmp_path, "loupe"), "dev")


def test_make_asks_before_it_builds() -> None:
    recipe = (ROOT / "Makefile").read_text().split("\ndeploy:")[1].split("\n\n")[0]

    assert "build" not in recipe.splitlines()[0]
    assert recipe.index("tools.check_samconfig") < recipe.index("sam build")
