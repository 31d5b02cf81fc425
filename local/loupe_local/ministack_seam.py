"""What Loupe calls of MiniStack's insides (1.5.33): look here when it is upgraded, and in
`ministack_mends`, which has what Loupe changes of them."""

# ruff: noqa: PLC0415
# MiniStack reads the environment when it is imported, so it is imported when it is first needed.

import contextvars
import json
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qs, quote

from loupe_local.keeper import every
from loupe_local.wire import Json, Reply, ServiceError

Scope = MutableMapping[str, Any]
Head = tuple[str, str, dict[str, str], dict[str, list[str]]]
"""Method, path, headers and query of a request."""
Snapshot = tuple[str, str]
"""A service's name in the state folder, and its state as the text of its file."""

READS = ("Get", "List", "Describe", "BatchGet", "AdminGet", "AdminList", "Simulate", "StartSync")
ITEMS = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "Transact", "Query", "Scan")
MESSAGES = ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")
"""How the names of actions begin that change nothing which is saved whole: items and messages are
in the journal."""


def application() -> Any:
    """MiniStack's ASGI application. The environment must be set before the first call."""
    import ministack.app

    return ministack.app.app


def snapshots(chosen: Callable[[str], bool]) -> Iterator[Snapshot]:
    """The state of every chosen service."""
    from ministack.app import _build_persistence_save_dict
    from ministack.core.persistence import _json_default, _state_format_version

    services = _build_persistence_save_dict()
    for name in sorted(filter(chosen, services)):
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


def is_bucket(path: str) -> bool:
    """Whether a request whose path alone names a service is for a bucket that exists."""
    from ministack.core import router
    from ministack.services import s3

    name = path.strip("/")
    exists = any(scoped[-1] == name for scoped in list(s3._buckets._data))
    return exists and bool(router.detect_service("POST", path, {}, {}) == "s3")


class Changes:
    """Which services, as the state folder names them, must be saved before a reply leaves."""

    def __init__(self) -> None:
        self._stacks: dict[Any, str] = {}

    def __call__(self, scope: Scope) -> Callable[[str], bool] | None:
        """Chooses the services that a request changed and that are saved whole; None if none.

        A stack's operation changes many services after its reply, so all are saved before
        somebody is told that it ended.
        """
        from ministack.app import SERVICE_REGISTRY
        from ministack.core import router

        head = _head(scope)
        service = router.detect_service(*head)
        entry = SERVICE_REGISTRY.get(service)
        if service == "cloudformation":
            return every if self._stacks_moved() else None
        if entry is None or _changes_nothing(head, service):
            return None
        return frozenset({entry.get("state_key", entry["module"])}).__contains__

    def _stacks_moved(self) -> bool:
        from ministack.services import cloudformation

        before = self._stacks
        self._stacks = {
            name: stack["StackStatus"] for name, stack in cloudformation._stacks.all_items()
        }
        return self._stacks != before


def _changes_nothing(head: Head, service: str) -> bool:
    """Whether a request changes at most objects, items and messages, which are not saved whole."""
    method, path, headers, _ = head
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if method in ("GET", "HEAD") or action.startswith(READS + ITEMS + MESSAGES):
        return True
    if service == "s3":
        return "/" in path.strip("/")
    return service == "lambda" and path.endswith("/invocations")


def _head(scope: Scope) -> Head:
    """A request without its body, as MiniStack reads it."""
    from ministack.core.sigv4 import decode_header_value

    headers = {
        name.decode("latin-1").lower(): decode_header_value(value)
        for name, value in scope["headers"]
    }
    query = parse_qs(scope.get("query_string", b"").decode(), keep_blank_values=True)
    return scope["method"], scope["path"], headers, query


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

        self._head = _head(scope)
        method, _, headers, query = self._head
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
            method, raw_path.decode("latin-1"), query, scope["headers"]
        )
        iam_evaluator.pin_signed_body(body)
        iam_evaluator.pin_request_caller(headers, query)
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
