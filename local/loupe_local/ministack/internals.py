"""MiniStack's application, and what the embedded stack reads of its insides."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import ministack.app
from ministack.core import persistence, router, sigv4
from ministack.core.concurrency import spawn_background
from ministack.core.responses import get_account_id, get_region, new_uuid, now_iso
from ministack.services import apigateway, eventbridge, s3

from loupe_local.http.asgi import Application, Scope
from loupe_local.http.wire import Json

Head = tuple[str, str, dict[str, str], dict[str, list[str]]]
"""Method, path, headers and query of a request."""
Snapshot = tuple[str, str]
"""A service's name in the state folder, and its state as the text of its file."""

application: Application = ministack.app.app


def snapshots(chosen: Callable[[str], bool]) -> Iterator[Snapshot]:
    """The state of every chosen service."""
    services = ministack.app._build_persistence_save_dict()
    for name in sorted(filter(chosen, services)):
        state = services[name]()
        if state is None:  # a module that did not load has nothing to say
            continue
        version = persistence._state_format_version(name)
        wrapped = {"__ministack_format__": version, "payload": state}
        yield name, json.dumps(wrapped, default=persistence._json_default)


def console_api() -> str:
    """The id of the HTTP API that is a stack's web console, or ""."""
    for (_, _, identity), api in list(apigateway._apis._data.items()):
        if str(api.get("name", "")).endswith("-console"):
            return str(identity)
    return ""


def is_bucket(path: str) -> bool:
    """Whether a request whose path alone names a service is for a bucket that exists."""
    name = path.strip("/")
    exists = any(scoped[-1] == name for scoped in list(s3._buckets._data))
    return exists and bool(router.detect_service("POST", path, {}, {}) == "s3")


def read_head(scope: Scope) -> Head:
    """A request without its body, as MiniStack reads it."""
    headers = {
        name.decode("latin-1").lower(): sigv4.decode_header_value(value)
        for name, value in scope["headers"]
    }
    query = parse_qs(scope.get("query_string", b"").decode(), keep_blank_values=True)
    return scope["method"], scope["path"], headers, query


def send_event(event: Json) -> None:
    """Puts an event on the default bus as an AWS service does, in the caller's account."""
    record: dict[str, Any] = {
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
