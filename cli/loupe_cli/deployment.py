"""Builds the template with SAM and deploys it into the embedded stack."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from loupe.errors import InvalidRequest, LoupeError
from loupe_cli.target import EMBEDDED, ROOT
from loupe_local.stack import Endpoint

SOURCES = ("template.yaml", "stacks", "statemachine", "functions", "console")
LEFT_OUT = {"__pycache__", "node_modules", "dist"}
LOG_TAIL = 25
TEMPLATE = ROOT / ".aws-sam" / "build" / "template.yaml"
"""Where `sam build` writes it, so that plain `sam local invoke` and `sam deploy` find it, too."""


class DeploymentFailed(LoupeError):
    """SAM could not build or deploy; the message ends with what it said."""


def sources() -> Iterator[Path]:
    """The files that are deployed, in a stable order."""
    for source in SOURCES:
        path = ROOT / source
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and not LEFT_OUT & set(file.parts):
                yield file


def fingerprint() -> str:
    """Changes whenever something that is deployed changes."""
    digest = hashlib.sha256()
    for file in sources():
        digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return digest.hexdigest()


def parameter_overrides(settings: Sequence[str]) -> list[str]:
    """`NAME=VALUE` as SAM takes it; raises InvalidRequest for anything else."""
    overrides = []
    for text in settings:
        name, equals, value = text.partition("=")
        if not name or not equals or '"' in value:
            raise InvalidRequest(f"--set takes NAME=VALUE without quotes, not {text!r}.")
        overrides.append(f'{name}="{value}"')
    return overrides


def deploy(endpoint: Endpoint, home: Path, overrides: Sequence[str] = ()) -> None:
    """Build and deploy what stands in this checkout; the log is kept in `home`.

    `overrides` are parameters of the template, `NAME="VALUE"`; others stay as they were.
    """
    environment = endpoint.apply(os.environ)
    build(environment, home)
    deploying = [
        "deploy",
        *("--template-file", str(TEMPLATE)),
        *("--stack-name", EMBEDDED, "--resolve-s3"),
        *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset"),
        *("--parameter-overrides", "PollSeconds=1", *overrides),
    ]
    _sam(deploying, environment, home)


def is_built() -> bool:
    """Whether there is a build, by whatever way, and no source is newer."""
    return TEMPLATE.exists() and TEMPLATE.stat().st_mtime_ns >= max(
        file.stat().st_mtime_ns for file in sources()
    )


def build(environment: Mapping[str, str], home: Path) -> None:
    """Build what stands in this checkout; the log is kept in `home`."""
    begun = time.time_ns()
    _sam(["build"], environment, home)
    # A source that changes while SAM builds is newer than the build.
    os.utime(TEMPLATE, ns=(begun, begun))


def _sam(arguments: list[str], environment: Mapping[str, str], home: Path) -> None:
    programs = Path(sys.executable).parent
    path = f"{programs}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        [str(programs / "sam"), *arguments],
        cwd=ROOT,
        env={**environment, "PATH": path, "SAM_CLI_TELEMETRY": "0"},
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
