"""What Loupe calls of MiniStack's insides (1.5.33): look here when it is upgraded, and in
`ministack_mends`, which has what Loupe changes of them."""

# ruff: noqa: PLC0415
# MiniStack reads the environment when it is imported, so it is imported when it is first needed.

import contextvars
import json
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qs, quote

from loupe_local.wire import Json, Reply, ServiceError

Scope = MutableMapping[str, Any]
Snapshot = tuple[str, str]
"""A service's name in the state folder, and its state as the text of its file."""

QUEUES_FIRST = ("sqs", "lambda")
"""Read before and written after what their messages and stream positions lead to, so that after
a crash work may be done twice but never is missing."""


def application() -> Any:
    """MiniStack's ASGI application. The environment must be set before the first call."""
    import ministack.app

    return ministack.app.app


def snapshots(without: Collection[str] = ()) -> Iterator[Snapshot]:
    """The state of every service but those named, queues first."""
    from ministack.app import _build_persistence_save_dict
    from ministack.core.persistence import _json_default, _state_format_version

    services = _build_persistence_save_dict()
    wanted = services.keys() - set(without)
    for name in sorted(wanted, key=lambda name: (name not in QUEUES_FIRST, name)):
        state = services[name]()
        if state is None:  # a module that did not load has nothing to say
            continue
        wrapped = {"__ministack_format__": _state_format_version(name), "payload": state}
        yield name, json.dumps(wrapped, default=_json_default)


def console_api() -> str:
    """The id of the HTTP API that is a stack's web console, or ""."""
    from ministack.services import apigateway

    for (_, _, identity), api in list(apigateway._apis._data.items()):
        if str(api.get("name", "")).endswith("-console"):
            return str(identity)
    return ""


def after_restart() -> None:
    """Puts right what MiniStack restored but would get wrong."""
    from ministack.services import dynamodb, lambda_svc

    # A position past the end of a stream would skip as many new records.
    positions = lambda_svc._dynamodb_stream_positions
    for scoped, position in list(positions._data.items()):
        account, region, mapping = scoped
        record = lambda_svc._esms.get_scoped(account, region, mapping)
        if record is None:
            continue
        table = record["EventSourceArn"].split("/stream/")[0].split("/")[-1]
        end = dynamodb.stream_end_position(table, account_id=account, region=region)
        positions._data[scoped] = min(position, end)


def send_event(event: Json) -> None:
    """Puts an event on the default bus as an AWS service does, in the caller's account."""
    from ministack.core.concurrency import spawn_background
    from ministack.core.responses import get_account_id, get_region, new_uuid, now_iso
    from ministack.services import eventbridge

    record = {
        "EventId": new_uuid(),
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "EventBusName": "default",
        "Time": now_iso(),
        "Resources": event["resources"],
        "Account": get_account_id(),
        "Region": get_region(),
    }
    spawn_background(eventbridge._dispatch_event, record, thread_name="loupe-event")


class MiniStackCaller:
    """Who signed a request, held to their policies as MiniStack holds callers of its services."""

    def __init__(self, scope: Scope, body: bytes) -> None:
        # MiniStack keeps the request in context variables; a context of our own keeps them apart
        # from those of requests served meanwhile, and lets further checks know this signature.
        self._context = contextvars.copy_context()
        self._context.run(self._enter, scope, body)

    def _enter(self, scope: Scope, body: bytes) -> None:
        from ministack.app import _request_account_scope
        from ministack.core import iam_evaluator, responses, router
        from ministack.core.sigv4 import decode_header_value

        headers = {
            name.decode("latin-1").lower(): decode_header_value(value)
            for name, value in scope["headers"]
        }
        query = parse_qs(scope.get("query_string", b"").decode(), keep_blank_values=True)
        key = router.extract_access_key_id(headers, query)
        if key:
            try:
                responses.set_request_account_id(_request_account_scope(key))
            except iam_evaluator.AmbiguousAccessKeyError as error:
                raise ServiceError(
                    "UnrecognizedClientException", "Two users have this key.", 403
                ) from error
        responses.set_request_region(router.extract_region(headers, query))
        raw_path = scope.get("raw_path") or quote(scope["path"]).encode()
        iam_evaluator.pin_request_origin((scope.get("client") or ("127.0.0.1",))[0], True)
        iam_evaluator.pin_signed_request(
            scope["method"], raw_path.decode("latin-1"), query, scope["headers"]
        )
        iam_evaluator.pin_signed_body(body)
        iam_evaluator.pin_request_caller(headers, query)
        self._head = scope["method"], scope["path"], headers, query
        self.account: str = responses.get_account_id()
        self.region: str = responses.get_region()
        self._key = key

    def verify(self) -> Reply | None:
        """The refusal of a request that no known key has signed, as its service words it."""
        return self._context.run(self._verify)

    def _verify(self) -> Reply | None:
        from ministack.app import _credential_failure
        from ministack.core.iam_evaluator import (
            AuthError,
            ResolvedCredential,
            _signed_request,
            authenticate,
        )
        from ministack.core.responses import new_uuid
        from ministack.core.router import detect_service
        from ministack.services import s3

        method, path, headers, query = self._head
        signed = _signed_request.get()
        if signed is not None and signed.s3_scoped:
            refusal = s3._verify_presigned_sigv4(method, path, headers, query)
            return _reply(*refusal) if refusal else None
        is_whole = signed is not None and not signed.unverifiable
        found = authenticate(self._key, self.account) if is_whole else None
        if isinstance(found, ResolvedCredential):
            return None
        error = found or AuthError("MissingAuthenticationToken", "The request is not signed.")
        service = detect_service(method, path, headers, query)
        return _reply(*_credential_failure(service, "", new_uuid(), error, headers))

    def require(self, service: str, action: str, resource: str) -> None:
        """Raises ServiceError unless the caller may do `action` on `resource`."""
        from ministack.core.iam_evaluator import AuthError, enforce

        denied = self._context.run(
            enforce, self._key, action, service, self.region, resource_arn=resource
        )
        if denied is None:
            return
        if isinstance(denied, AuthError):
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
