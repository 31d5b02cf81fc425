"""Refuses a stack name of samconfig.toml that cannot work, before anything is made.

`python -m tools.check_samconfig [CONFIG]`; `make deploy` does it first.
"""

import shlex
import sys
import tomllib
from pathlib import Path
from typing import Any

from loupe.domain.stack_name import check_stack_name
from loupe.errors import InvalidRequest
from loupe_cli.main import exit_code
from loupe_cli.target import ROOT


def check_samconfig(config: Path, environment: str) -> None:
    """Raise InvalidRequest if what `sam deploy` reads of samconfig.toml names no possible stack."""
    sections: dict[str, Any] = tomllib.loads(config.read_text()).get(environment, {})
    deploying = {
        **sections.get("global", {}).get("parameters", {}),
        **sections.get("deploy", {}).get("parameters", {}),
    }
    if "stack_name" not in deploying:
        raise InvalidRequest(f"{config.name} has no stack_name for {environment!r}.")
    overrides = deploying.get("parameter_overrides", "")
    words = shlex.split(overrides) if isinstance(overrides, str) else overrides
    parameters = dict(word.partition("=")[::2] for word in words)
    uses_a2i = parameters.get("HumanReview") == "a2i"
    makes_team = uses_a2i and not parameters.get("WorkteamArn")
    check_stack_name(deploying["stack_name"], uses_a2i, makes_team)


if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else "default"
    sys.exit(exit_code(lambda: check_samconfig(ROOT / "samconfig.toml", name)))
