"""users: who may sign in to the console, and as what."""

import secrets
from typing import Annotated, Any

import typer

from loupe.console.access import ROLES
from loupe.errors import InvalidRequest, NotFound
from loupe_cli import sign_ins
from loupe_cli.options import Json
from loupe_cli.render import out, show_json, show_table
from loupe_cli.target import Target

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
    listed = list(sign_ins.users(*_pool(context.obj)))
    if as_json:
        show_json(listed)
        return
    rows = ((u["name"], ", ".join(u["roles"]), u["status"]) for u in listed)
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
    for each in role:
        if each not in ROLES:
            raise InvalidRequest(f"{each!r} is no role; the roles are: {', '.join(ROLES)}.")
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
        out.print(f"{name} is a user already.", markup=False)
    if password:
        client.admin_set_user_password(
            UserPoolId=pool, Username=name, Password=password, Permanent=True
        )
    for each in role:
        client.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=each)
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


def _pool(target: Target) -> tuple[Any, str]:
    return target.client("cognito-idp"), target.outputs["UserPoolId"]
