"""users: who may sign in to the console, and as what."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from loupe.console.access import ROLES
from loupe.errors import InvalidRequest, NotFound
from loupe_cli.render import out, show_json, show_table
from loupe_cli.target import Target

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
Name = Annotated[str, typer.Argument(help="An email address.")]

users = typer.Typer(help="Who may sign in to the console.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(users, name="users")


@users.callback()
def list_users(context: typer.Context, as_json: Json = False) -> None:
    """Users and their roles."""
    if context.invoked_subcommand:
        return
    found = list(_users(*_pool(context.obj)))
    if as_json:
        show_json(found)
        return
    rows = ((u["name"], ", ".join(u["roles"]), u["status"]) for u in found)
    show_table(["name", "roles", "status"], rows, "Nobody yet: 'loupe users add NAME --role ROLE'.")


@users.command("add")
def add_user(
    context: typer.Context,
    name: Name,
    role: Annotated[list[str], typer.Option(help=f"One of {', '.join(ROLES)}; may be repeated.")],
) -> None:
    """Invite a person by email, or give somebody further roles.

    On this machine no email is sent: the password is printed.
    """
    for given in role:
        if given not in ROLES:
            raise InvalidRequest(f"{given!r} is no role; the roles are: {', '.join(ROLES)}.")
    target: Target = context.obj
    client, pool = _pool(target)
    password = secrets.token_urlsafe(12) if target.endpoint else ""
    how = {"MessageAction": "SUPPRESS"} if password else {"DesiredDeliveryMediums": ["EMAIL"]}
    try:
        client.admin_create_user(
            UserPoolId=pool,
            Username=name,
            UserAttributes=[
                {"Name": "email", "Value": name},
                {"Name": "email_verified", "Value": "true"},
            ],
            **how,
        )
    except client.exceptions.UsernameExistsException:
        password = ""
        out.print(f"{name} is known already.", markup=False)
    if password:
        client.admin_set_user_password(
            UserPoolId=pool, Username=name, Password=password, Permanent=True
        )
    for given in role:
        client.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=given)
    out.print(f"{name} is {', '.join(role)}.", markup=False)
    if password:
        out.print(
            f"Password: {password}\nIt is shown only now: no email is sent on this machine.",
            markup=False,
        )


@users.command("remove")
def remove_user(context: typer.Context, name: Name) -> None:
    """Take a person's access away."""
    client, pool = _pool(context.obj)
    try:
        client.admin_delete_user(UserPoolId=pool, Username=name)
    except client.exceptions.UserNotFoundException as error:
        raise NotFound(f"There is no user {name!r}; 'loupe users' lists them.") from error
    out.print(f"{name} is removed.", markup=False)


def ready_made(client: Any, pool: str, place: Path) -> dict[str, str]:
    """`{role: password}` of the embedded stack's users, one a role, made where they are missing.

    Each is called as the role. Passwords are random and kept with the stack's data.
    """
    file = place / "users.json"
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    passwords: dict[str, str] = {
        role: known.get(role) or secrets.token_urlsafe(12) for role in ROLES
    }
    file.touch(mode=0o600)
    file.write_text(json.dumps(passwords, indent=1))
    present = {user["name"] for user in _users(client, pool)}
    for role, password in passwords.items():
        if role not in present:
            client.admin_create_user(UserPoolId=pool, Username=role, MessageAction="SUPPRESS")
        client.admin_set_user_password(
            UserPoolId=pool, Username=role, Password=password, Permanent=True
        )
        client.admin_add_user_to_group(UserPoolId=pool, Username=role, GroupName=role)
    return passwords


def _users(client: Any, pool: str) -> Iterator[dict[str, Any]]:
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


def _pool(target: Target) -> tuple[Any, str]:
    return target.client("cognito-idp"), target.outputs["UserPoolId"]
