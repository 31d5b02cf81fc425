"""What could not be looked up is never called sound, and only a reason excepts a vulnerability."""

import pytest

from tools.audit import Advisory, Report, console_report, judge, read_npm_audit, read_pip_audit

BOMB = Advisory("pillow 1.0", frozenset({"PYSEC-1", "CVE-1"}), "2.0")


@pytest.mark.parametrize(("strict", "failed"), [(False, 0), (True, 1)])
def test_what_no_service_could_be_asked_about_is_listed_and_fails_only_a_strict_run(
    strict: bool, failed: int
) -> None:
    lines, result = judge([Report("page", unaudited="405 Method Not Allowed")], {}, strict)

    assert lines == ["page: NOT AUDITED: 405 Method Not Allowed"]
    assert result == failed


def test_a_vulnerability_fails() -> None:
    lines, failed = judge([Report("functions", (BOMB,))], {"CVE-2": "another"}, strict=False)

    assert lines == ["functions: pillow 1.0: CVE-1, PYSEC-1: fixed in 2.0"]
    assert failed


def test_an_exception_is_printed_with_its_reason() -> None:
    lines, failed = judge([Report("functions", (BOMB,))], {"CVE-1": "PSD only"}, strict=True)

    assert lines == ["functions: pillow 1.0: CVE-1, PYSEC-1: excepted: PSD only"]
    assert not failed


def test_what_was_looked_up_and_has_none_is_said_so() -> None:
    assert judge([Report("functions")], {}, strict=True) == (
        ["functions: no known vulnerability"],
        0,
    )


def test_a_package_that_pip_audit_skips_is_not_audited() -> None:
    """pip-audit itself says 'No known vulnerabilities found' of it and exits with 0."""
    report = read_pip_audit("x", [{"name": "pillow", "skip_reason": "Dependency not found"}])

    assert "1 packages (pillow)" in report.unaudited


def test_an_advisory_of_pip_audit_has_all_its_names() -> None:
    known = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.0"]}

    report = read_pip_audit("x", [{"name": "pillow", "version": "1.0", "vulns": [known]}])

    assert report == Report("x", (BOMB,))


def test_a_registry_without_advisories_leaves_the_page_unaudited() -> None:
    report = read_npm_audit({"message": "405 Method Not Allowed - POST x", "error": {}})

    assert report.unaudited == "405 Method Not Allowed"


def test_an_advisory_of_npm_is_listed_once_at_the_package_that_has_it() -> None:
    cause = {"url": "https://github.com/advisories/GHSA-1", "range": "<2.0"}

    report = read_npm_audit({"vulnerabilities": {"a": {"via": [cause]}, "b": {"via": ["a"]}}})

    assert [advisory.package for advisory in report.advisories] == ["a"]
    assert report.advisories[0].identifiers == {"GHSA-1"}


def test_without_npm_the_page_is_unaudited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    assert "npm" in console_report().unaudited
