"""Who asks, and whether they may: Cognito's groups are the roles."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aws_lambda_powertools.event_handler.exceptions import ForbiddenError, UnauthorizedError


class Role(StrEnum):
    """What a person may do, by the Cognito group that they are in."""

    OPERATOR = "operator"
    CONSUMER = "consumer"
    REVIEWER = "reviewer"


ROLES = tuple(Role)


@dataclass(frozen=True)
class User:
    """Who is signed in."""

    name: str
    roles: tuple[Role, ...]


def current_user(app: Any) -> User:
    """The user of the request, whose token the API's authorizer has checked."""
    claims = app.current_event.request_context.authorizer.jwt_claim
    name = claims.get("cognito:username")
    if not name:
        raise UnauthorizedError("Sign in first.")
    # API Gateway writes a list in a claim as "[operator reviewer]".
    groups = re.findall(r"[^\s,\[\]\"']+", str(claims.get("cognito:groups", "")))
    return User(str(name), tuple(role for role in Role if role in groups))


def current_application(app: Any) -> str:
    """The ARN of the caller whose signature the API's authorizer has checked."""
    arn = (app.current_event.request_context.authorizer.get("iam") or {}).get("userArn")
    if not arn:
        raise UnauthorizedError("Sign the request with Signature Version 4.")
    return str(arn)


def check_role(app: Any, roles: tuple[Role, ...]) -> None:
    """Raise unless the user of the request has one of `roles`."""
    if not set(roles) & set(current_user(app).roles):
        raise ForbiddenError(f"This is for people with the role {' or '.join(roles)}.")
