"""Users of the console: those there are, and those that the embedded stack makes."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loupe.console.access import ROLES


def ready_made(client: Any, pool: str, place: Path) -> dict[str, str]:
    """`{role: password}` of the embedded stack's users, one a role, made where they are missing.

    Each is called as the role. Passwords are random and kept with the stack's data.
    """
    file = place / "users.json"
    kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    passwords: dict[str, str] = {
        role: kept.get(role) or secrets.token_urlsafe(12) for role in ROLES
    }
    file.touch(mode=0o600)
    file.write_text(json.dumps(passwords, indent=1))
    present = {user["name"] for user in users(client, pool)}
    for role, password in passwords.items():
        if role not in present:
            client.admin_create_user(UserPoolId=pool, Username=role, MessageAction="SUPPRESS")
        client.admin_set_user_password(
            UserPoolId=pool, Username=role, Password=password, Permanent=True
        )
        client.admin_add_user_to_group(UserPoolId=pool, Username=role, GroupName=role)
    return passwords


def users(client: Any, pool: str) -> Iterator[dict[str, Any]]:
    """Each user as `{"name", "roles", "status"}`."""
    roles: dict[str, list[str]] = {}
    for role in ROLES:
        pages = client.get_paginator("list_users_in_group")
        for page in pages.paginate(UserPoolId=pool, GroupName=role):
            for user in page["Users"]:
                roles.setdefault(user["Username"], []).append(role)
    for page in client.get_paginator("list_users").paginate(UserPoolId=pool):
        for user in page["Users"]:
            name = user["Username"]
            yield {"name": name, "roles": roles.get(name, []), "status": user["UserStatus"].lower()}
