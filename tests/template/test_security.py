"""docs/security.md names tests that exist, and the template is as it says."""

import ast
import re
from functools import cache

import pytest

from tests.template.reading import ROOT, granted, resources, template

PAGE = (ROOT / "docs" / "security.md").read_text()
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
ROWS = [row.split(" | ") for row in PAGE.splitlines() if row.count(" | ") == 3 and "`tests/" in row]
STRIDE = {
    "spoofing",
    "tampering",
    "repudiation",
    "information disclosure",
    "denial of service",
    "elevation of privilege",
}
BOUNDARIES = {
    "Browser",
    "API",
    "Bucket",
    "Queues and events",
    "Functions",
    "Services",
    "Embedded stack",
}


@cache
def functions(path: str) -> set[str]:
    """Names of the tests in a file."""
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("path", "name"), TESTS)
def test_a_named_test_exists(path: str, name: str) -> None:
    assert name in functions(path)


def test_every_threat_is_of_a_kind_and_has_a_test() -> None:
    threats = [row for row in PAGE.splitlines() if row.startswith(tuple(f"| {k} " for k in STRIDE))]

    assert len(threats) == len(ROWS)
    assert {row[0].removeprefix("| ") for row in ROWS} == STRIDE


def test_every_boundary_has_threats() -> None:
    threats = PAGE.partition("\n## Threats\n")[2].partition("\n## ")[0]

    assert set(re.findall("^### (.+)$", threats, re.MULTILINE)) == BOUNDARIES


def test_nobody_signs_up_and_passwords_are_long() -> None:
    for name, pool in resources("AWS::Cognito::UserPool").items():
        assert pool["Properties"]["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True, name
    policy = template()["Resources"]["UserPool"]["Properties"]["Policies"]["PasswordPolicy"]
    assert policy["MinimumLength"] >= 12


def test_tokens_end_soon() -> None:
    client = template()["Resources"]["UserPoolClient"]["Properties"]

    units = client["TokenValidityUnits"]
    assert units == {"IdToken": "minutes", "AccessToken": "minutes", "RefreshToken": "hours"}
    assert max(client["IdTokenValidity"], client["AccessTokenValidity"]) <= 30
    assert client["RefreshTokenValidity"] <= 12
    assert client["EnableTokenRevocation"] is True


def test_requests_to_the_console_are_limited() -> None:
    (stage,) = resources("AWS::ApiGatewayV2::Stage").values()

    assert 0 < stage["Properties"]["DefaultRouteSettings"]["ThrottlingRateLimit"] <= 100


@pytest.mark.parametrize(
    "kind", ["AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"]
)
def test_a_service_that_a_policy_lets_in_comes_for_this_account_only(kind: str) -> None:
    """Else another account could send its service here, in its own interest."""
    for policy in resources(kind).values():
        for statement in granted(policy):
            assert set(statement["Principal"]) == {"Service"}
            conditions = statement["Condition"].values()
            assert {"aws:SourceAccount", "aws:SourceArn"} & {k for c in conditions for k in c}


def test_a_function_that_a_service_may_invoke_names_who_asks() -> None:
    for permission in resources("AWS::Lambda::Permission").values():
        assert "SourceArn" in permission["Properties"]


def test_every_value_in_the_task_page_is_escaped() -> None:
    """Labels and guesses come from folders' names; an address comes from the service itself."""
    page = (ROOT / "functions" / "loupe" / "pages" / "review.liquid.html").read_text()
    values = re.findall(r"\{\{(.*?)\}\}", page)

    assert values
    for value in values:
        assert value.split("|")[-1].strip() in ("escape", "grant_read_access"), value


def test_a_webhook_is_https_or_this_machine() -> None:
    pattern = template()["Parameters"]["WebhookUrl"]["AllowedPattern"]

    assert re.search(pattern, "https://example.com/hook")
    for refused in (
        "http://example.com",
        "ftp://x",
        "http://169.254.169.254/",
        "http://127.0.0.1.x",
    ):
        assert not re.search(pattern, refused), refused
