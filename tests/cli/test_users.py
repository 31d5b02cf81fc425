"""Business rule: a person who is invited can sign in, also where no email is sent."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from typer.testing import CliRunner

from loupe_cli import main
from loupe_cli.main import app


class KnownAlready(Exception):
    """As Cognito's UsernameExistsException."""


@dataclass
class Pool:
    """Cognito's users, as far as the command needs them, and a target that has only them."""

    endpoint: str
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    outputs: ClassVar = {"UserPoolId": "pool"}
    exceptions: ClassVar = SimpleNamespace(UsernameExistsException=KnownAlready)

    def client(self, service: str) -> "Pool":
        assert service == "cognito-idp"
        return self

    def admin_create_user(self, **asked: Any) -> None:
        name = asked.pop("Username")
        if name in self.users:
            raise KnownAlready
        self.users[name] = asked

    def admin_set_user_password(self, **asked: Any) -> None:
        self.passwords[asked["Username"]] = asked["Password"]

    def admin_add_user_to_group(self, **_how: Any) -> None:
        """Roles are seen in the console's own tests."""


def add(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(main, "Target", lambda _name: pool)
    command = ["users", "add", "ada@example.com", "--role", "reviewer"]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_in_aws_the_password_comes_by_email(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(endpoint="")

    said = add(pool, monkeypatch)

    assert "Password" not in said
    assert pool.passwords == {}
    assert pool.users["ada@example.com"]["DesiredDeliveryMediums"] == ["EMAIL"]


def test_on_this_machine_the_password_is_printed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(endpoint="http://127.0.0.1:4566")

    said, again = add(pool, monkeypatch), add(pool, monkeypatch)

    assert f"Password: {pool.passwords['ada@example.com']}" in said
    assert "Password" not in again
    assert pool.users["ada@example.com"]["MessageAction"] == "SUPPRESS"
