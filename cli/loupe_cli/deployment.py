"""Builds the template with SAM and deploys it into the embedded stack."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from loupe.errors import InvalidRequest, LoupeError
from loupe_cli.target import EMBEDDED, ROOT
from loupe_local.stack import Endpoint

SOURCES = ("template.yaml", "statemachine", "functions", "console")
LEFT_OUT = {"__pycache__", "node_modules", "dist"}
LOG_TAIL = 25
BUILD = ROOT / ".aws-sam"
"""Where `sam build` builds by itself, so that `sam local invoke` and `sam deploy` find it."""
TEMPLATE = BUILD / "build" / "template.yaml"
BUILT_FROM = BUILD / "built-from"
"""Fingerprint of the sources of the last build."""


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


def deploy(endpoint: Endpoint, home: Path, given: Sequence[str] = ()) -> None:
    """Build and deploy what stands in this checkout; the log is kept in `home`.

    `given` are parameters of the template, `NAME="VALUE"`; others stay as they were.
    """
    environment = endpoint.apply(os.environ)
    if not is_built():
        build(environment, home)
    deploying = [
        "deploy",
        *("--template-file", str(TEMPLATE)),
        *("--stack-name", EMBEDDED, "--resolve-s3"),
        *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset"),
        *("--parameter-overrides", "PollSeconds=1", *given),
    ]
    _sam(deploying, environment, home)


def is_built() -> bool:
    """Whether the last build is of the sources as they are now."""
    built = TEMPLATE.exists() and BUILT_FROM.exists()
    return built and BUILT_FROM.read_text() == fingerprint()


def build(environment: Mapping[str, str], home: Path) -> None:
    """Build what stands in this checkout; the log is kept in `home`."""
    sources = fingerprint()
    BUILT_FROM.unlink(missing_ok=True)
    _sam(["build"], environment, home)
    BUILT_FROM.write_text(sources)


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
