"""Who signed a request, and what they may do, as MiniStack decides it."""

import contextvars
from collections.abc import Mapping
from urllib.parse import quote

import ministack.app
from ministack.core import iam_evaluator, responses, router
from ministack.services import s3

from loupe_local.http.asgi import Scope
from loupe_local.http.wire import Json, Reply, ServiceError
from loupe_local.ministack.internals import read_head, send_event


class MiniStackCaller:
    """Who signed a request, held to their policies as MiniStack holds callers of its services."""

    def __init__(self, scope: Scope, body: bytes) -> None:
        # MiniStack keeps the request in context variables; a context of our own keeps them apart
        # from those of requests served meanwhile, and lets further checks read this signature.
        self._context = contextvars.copy_context()
        self._context.run(self._enter, scope, body)

    def _enter(self, scope: Scope, body: bytes) -> None:
        self._head = read_head(scope)
        method, _, headers, query = self._head
        key = router.extract_access_key_id(headers, query)
        if key:
            try:
                responses.set_request_account_id(ministack.app._request_account_scope(key))
            except iam_evaluator.AmbiguousAccessKeyError as error:
                raise ServiceError(
                    "UnrecognizedClientException", "Two users have this key.", 403
                ) from error
        responses.set_request_region(router.extract_region(headers, query))
        raw_path = scope.get("raw_path") or quote(scope["path"]).encode()
        iam_evaluator.pin_request_origin((scope.get("client") or ("127.0.0.1",))[0], True)
        iam_evaluator.pin_signed_request(
            method, raw_path.decode("latin-1"), query, scope["headers"]
        )
        iam_evaluator.pin_signed_body(body)
        iam_evaluator.pin_request_caller(headers, query)
        self.account: str = responses.get_account_id()
        self.region: str = responses.get_region()
        self._key = key

    def verify(self) -> Reply | None:
        """The refusal of a request that no valid key has signed, as its service words it."""
        return self._context.run(self._verify)

    def _verify(self) -> Reply | None:
        method, path, headers, query = self._head
        signed: iam_evaluator.SignedRequest | None = iam_evaluator._signed_request.get()
        if signed is not None and signed.s3_scoped:
            refusal = s3._verify_presigned_sigv4(method, path, headers, query)
            return _reply(*refusal) if refusal else None
        is_whole = signed is not None and not signed.unverifiable
        credential = iam_evaluator.authenticate(self._key, self.account) if is_whole else None
        if isinstance(credential, iam_evaluator.ResolvedCredential):
            return None
        error = credential or iam_evaluator.AuthError(
            "MissingAuthenticationToken", "The request is not signed."
        )
        service = router.detect_service(method, path, headers, query)
        return _reply(
            *ministack.app._credential_failure(service, "", responses.new_uuid(), error, headers)
        )

    def require(self, service: str, action: str, resource: str) -> None:
        """Raises ServiceError unless the caller may do `action` on `resource`."""
        denied: iam_evaluator.EvalResult | iam_evaluator.AuthError | None = self._context.run(
            iam_evaluator.enforce, self._key, action, service, self.region, resource_arn=resource
        )
        if denied is None:
            return
        if isinstance(denied, iam_evaluator.AuthError):
            raise ServiceError(denied.code, denied.message, 403)
        raise ServiceError(
            "AccessDeniedException",
            f"User: {denied.principal_arn} is not authorized to perform: {action} on resource: "
            f"{resource} because {_reason(denied.decision, action)}",
        )

    def send_event(self, event: Json) -> None:
        """Puts an event on the default bus of the caller's account."""
        self._context.run(send_event, event)


def _reply(status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    return Reply(status, body, {name.lower(): value for name, value in headers.items()})


def _reason(decision: str, action: str) -> str:
    if decision == "Deny":
        return "a policy denies it explicitly"
    return f"no identity-based policy allows the {action} action"
