"""Asks for known vulnerabilities of what Loupe is built on: `make check`, or `make audit`.

A vulnerability fails the run unless pyproject.toml has an exception with its reason. What no
advisory service could be asked about is listed and never counts as sound; with --strict it fails.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ("functions/requirements.txt", "requirements.txt")
CONSOLE = "console/package-lock.json"
TIMEOUT = 300.0
"""Seconds for one source."""


@dataclass(frozen=True)
class Advisory:
    """A known vulnerability of a version that is used."""

    package: str
    identifiers: frozenset[str]
    """All names that it has, its CVE among them."""

    fixed_in: str


@dataclass(frozen=True)
class Report:
    """What one source of packages came to."""

    source: str
    advisories: tuple[Advisory, ...] = ()
    unaudited: str = ""
    """Why nothing, or not everything, is known; empty if all was looked up."""


def main(arguments: list[str]) -> int:
    """0, or 1 when something has to be done."""
    exceptions = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["loupe"]["audit"]
    reports = [*(python_report(path) for path in REQUIREMENTS), console_report()]
    lines, failed = judge(reports, exceptions, strict="--strict" in arguments)
    print("\n".join(lines))
    return failed


def judge(
    reports: list[Report], exceptions: Mapping[str, str], strict: bool
) -> tuple[list[str], int]:
    """What to print, and whether it fails. `exceptions` are `{identifier: reason}`."""
    lines: list[str] = []
    failed = False
    for report in reports:
        for advisory in report.advisories:
            reasons = [exceptions[name] for name in advisory.identifiers if name in exceptions]
            names = ", ".join(sorted(advisory.identifiers))
            verdict = f"excepted: {reasons[0]}" if reasons else f"fixed in {advisory.fixed_in}"
            lines.append(f"{report.source}: {advisory.package}: {names}: {verdict}")
            failed = failed or not reasons
        if report.unaudited:
            lines.append(f"{report.source}: NOT AUDITED: {report.unaudited}")
            failed = failed or strict
        elif not report.advisories:
            lines.append(f"{report.source}: no known vulnerability")
    return lines, int(failed)


def python_report(path: str) -> Report:
    """Every pinned package of a requirements file, asked of the Python package index."""
    command = ["pip-audit", "--disable-pip", "--no-deps", "--progress-spinner", "off"]
    done = _run([*command, "--format", "json", "--requirement", path])
    try:
        dependencies = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return Report(path, unaudited=_last_line(done.stderr))
    return read_pip_audit(path, dependencies)


def read_pip_audit(path: str, dependencies: list[dict[str, Any]]) -> Report:
    """pip-audit exits with 0 for packages that it could not look up; they are named here."""
    skipped = [dependency["name"] for dependency in dependencies if "skip_reason" in dependency]
    advisories = tuple(
        Advisory(
            f"{dependency['name']} {dependency['version']}",
            frozenset([advisory["id"], *advisory["aliases"]]),
            ", ".join(advisory["fix_versions"]) or "no version",
        )
        for dependency in dependencies
        for advisory in dependency.get("vulns", ())
    )
    names = ", ".join(skipped[:3]) + (" and others" if len(skipped) > 3 else "")
    unaudited = f"no advisories of {len(skipped)} packages ({names})" if skipped else ""
    return Report(path, advisories, unaudited)


def console_report() -> Report:
    """Every package of the page's lock file, asked of the npm registry."""
    done = _run(["npm", "audit", "--json", "--package-lock-only"], ROOT / "console")
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        return Report(CONSOLE, unaudited=_last_line(done.stderr))
    return read_npm_audit(answer)


def read_npm_audit(answer: dict[str, Any]) -> Report:
    """npm audit answers with `vulnerabilities` by package, or with what went wrong."""
    if "vulnerabilities" not in answer:
        reason = answer.get("message") or "the registry has no advisories"
        return Report(CONSOLE, unaudited=str(reason).partition(" - ")[0])
    return Report(CONSOLE, tuple(_npm_advisories(answer["vulnerabilities"])))


def _npm_advisories(vulnerabilities: dict[str, dict[str, Any]]) -> Iterator[Advisory]:
    """Packages that only contain a vulnerable one are left out: it is listed itself."""
    for package, vulnerability in vulnerabilities.items():
        for cause in vulnerability["via"]:
            if isinstance(cause, dict):
                name = cause["url"].rpartition("/")[2]
                fixed_in = f"another version than {cause['range']}"
                yield Advisory(package, frozenset([name]), fixed_in)


def _run(command: list[str], folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """What a tool answers; one that is missing or takes too long says so in place of an answer."""
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, stdout="", stderr=str(error))


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no answer"])[-1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
