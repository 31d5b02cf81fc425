"""Who may call: MiniStack itself would not check the signature of the account's root."""

import contextvars
import hashlib
import hmac
import logging
import os
import secrets
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import ministack.app
from ministack.core import iam_evaluator, lambda_runtime
from ministack.services import cognito, s3, sts

from loupe_local.credentials import Credentials
from loupe_local.http.wire import Json

logger = logging.getLogger("loupe.access")

FIXED_CODE = "654321"

_pinning: contextvars.ContextVar[bool] = contextvars.ContextVar("loupe_pinning", default=False)


def apply(root: Credentials) -> None:
    """Lets `root` alone be the account's root, by its signature.

    The secret is not in this process's environment, which functions inherit.
    """
    _limit_root_to_one_key(root)
    _check_roots_signature(root)
    _keep_functions_keys_secret(root)
    _refuse_unsigned_forms()
    _make_reset_codes_secret()


def _limit_root_to_one_key(root: Credentials) -> None:
    """MiniStack takes `test` and any account number for root, too.

    What has no key is not checked here: the gateway lets in only what AWS serves unsigned.
    """

    def is_root_access_key(access_key_id: str) -> bool:
        return access_key_id in ("", root.key_id)

    iam_evaluator.os = SimpleNamespace(**{**vars(os), "environ": root.environment})
    iam_evaluator.is_root_access_key = is_root_access_key
    sts.is_root_access_key = is_root_access_key


def _check_roots_signature(root: Credentials) -> None:
    """MiniStack keeps a request for its signature check only if its key is not root's."""
    pin = iam_evaluator.pin_signed_request

    def pin_signed_request(*request: Any, **options: Any) -> None:
        token = _pinning.set(True)
        try:
            pin(*request, **options)
        finally:
            _pinning.reset(token)

    def is_root_key(access_key_id: str) -> bool:
        return not _pinning.get() and access_key_id in ("", root.key_id)

    iam_evaluator._is_root_key = is_root_key
    iam_evaluator.pin_signed_request = pin_signed_request
    ministack.app.pin_signed_request = pin_signed_request


def _keep_functions_keys_secret(root: Credentials) -> None:
    """MiniStack would derive a function's keys from public names: its own and its role's."""

    def keyed(message: bytes) -> Any:
        return hmac.new(root.secret.encode(), message, hashlib.sha256)

    lambda_runtime.hashlib = SimpleNamespace(sha256=keyed)


def _refuse_unsigned_forms() -> None:
    """MiniStack takes an upload by a form that nobody signed, into any bucket."""

    def refuse(_policy: str, _size: int) -> Any:
        return s3._error("AccessDenied", "Access Denied", 403)

    s3._enforce_post_policy_size = refuse


def _make_reset_codes_secret() -> None:
    """MiniStack's code to set a new password is the same for everybody, and no email brings it."""

    def secretly(ask: Callable[[Json], Any]) -> Callable[[Json], Any]:
        def asked(data: Json) -> Any:
            reply = ask(data)
            for pool in cognito._user_pools.values():
                for name, user in pool["_users"].items():
                    if user.get("_reset_code") == FIXED_CODE:
                        user["_reset_code"] = secrets.token_urlsafe()
                        logger.info("%s may set a password with %s", name, user["_reset_code"])
            return reply

        return asked

    cognito._forgot_password = secretly(cognito._forgot_password)
    cognito._admin_reset_user_password = secretly(cognito._admin_reset_user_password)
