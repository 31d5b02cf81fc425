"""Builds the template with SAM and deploys it into the embedded stack.

As a program it refuses a stack name of samconfig.toml that cannot work, before anything is made:
`python -m loupe_cli.deployment [CONFIG]`.
"""

import hashlib
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loupe.domain.stack_name import check_stack_name
from loupe.errors import InvalidRequest, LoupeError
from loupe_cli.target import EMBEDDED, ROOT
from loupe_local.stack import Endpoint

SOURCES = ("template.yaml", "statemachine", "functions", "console")
LEFT_OUT = {"__pycache__", "node_modules", "dist"}
LOG_TAIL = 25


class DeploymentFailed(LoupeError):
    """SAM could not build or deploy; the message ends with what it said."""


def fingerprint() -> str:
    """Changes whenever something that is deployed changes."""
    digest = hashlib.sha256()
    for source in SOURCES:
        path = ROOT / source
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and not LEFT_OUT & set(file.parts):
                digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return digest.hexdigest()


def parameter_overrides(given: Sequence[str]) -> list[str]:
    """`NAME=VALUE` as SAM takes it; raises InvalidRequest for anything else."""
    overrides = []
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals or '"' in value:
            raise InvalidRequest(f"--set takes NAME=VALUE without quotes, not {text!r}.")
        overrides.append(f'{name}="{value}"')
    return overrides


def check_samconfig(config: Path, environment: str) -> None:
    """Raise InvalidRequest if what `sam deploy` reads of samconfig.toml names no possible stack."""
    found: dict[str, Any] = tomllib.loads(config.read_text()).get(environment, {})
    deploying = {
        **found.get("global", {}).get("parameters", {}),
        **found.get("deploy", {}).get("parameters", {}),
    }
    if "stack_name" not in deploying:
        raise InvalidRequest(f"{config.name} has no stack_name for {environment!r}.")
    overrides = deploying.get("parameter_overrides", "")
    words = shlex.split(overrides) if isinstance(overrides, str) else overrides
    given = dict(word.partition("=")[::2] for word in words)
    uses_a2i = given.get("HumanReview") == "a2i"
    makes_team = uses_a2i and not given.get("WorkteamArn")
    check_stack_name(deploying["stack_name"], uses_a2i, makes_team)


def deploy(endpoint: Endpoint, home: Path, given: Sequence[str] = ()) -> None:
    """Build and deploy what stands in this checkout; the log is kept in `home`.

    `given` are parameters of the template, `NAME="VALUE"`; others stay as they were.
    """
    environment = endpoint.apply(os.environ) | {"SAM_CLI_TELEMETRY": "0"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    build = home / "build"
    _sam(["build", "--build-dir", str(build)], environment, home)
    deploying = [
        "deploy",
        *("--template-file", str(build / "template.yaml")),
        *("--stack-name", EMBEDDED, "--resolve-s3"),
        *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset"),
        *("--parameter-overrides", "PollSeconds=1", *given),
    ]
    _sam(deploying, environment, home)


def _sam(arguments: list[str], environment: dict[str, str], home: Path) -> None:
    sam = Path(sys.executable).parent / "sam"
    done = subprocess.run(
        [str(sam), *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    log = home / "deploy.log"
    with log.open("a") as file:
        file.write(done.stdout)
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-LOG_TAIL:])
        raise DeploymentFailed(f"'sam {arguments[0]}' failed (whole log: {log}):\n{tail}")


if __name__ == "__main__":
    from loupe_cli.main import told

    name = sys.argv[1] if len(sys.argv) > 1 else "default"
    sys.exit(told(lambda: check_samconfig(ROOT / "samconfig.toml", name)))
