"""One address for all services: those of this package are answered here, the rest by MiniStack."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from loupe_local.wire import Caller, Reply, Request, ServiceError, error_reply

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
Identify = Callable[[MutableMapping[str, Any], bytes], Caller]

BODY_LIMIT = 16 * 1024 * 1024
WORKERS = 16

LOOPBACK_NAMES = {"127.0.0.1", "localhost", "::1", "host.docker.internal"}


class Service(Protocol):
    """A service that is answered here."""

    def recognises(self, request: Request) -> bool:
        """Whether a request, known by its head alone, is for this service."""

    def answer(self, request: Request, caller: Callable[[], Caller]) -> Reply:
        """The reply; runs in a thread. `caller()` says who asks."""


class Lifecycle(Protocol):
    """What happens around MiniStack's own start and end."""

    def started(self) -> None:
        """MiniStack has restored its state and serves."""

    def stopping(self) -> None:
        """MiniStack is about to save and end."""


class Gateway:
    """ASGI application in front of MiniStack's."""

    def __init__(
        self,
        inner: Application,
        services: Sequence[Service],
        identify: Identify,
        lifecycle: Lifecycle,
    ) -> None:
        self._inner = inner
        self._services = services
        self._identify = identify
        self._lifecycle = lifecycle
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="loupe-service")

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        if scope["type"] == "http":
            request = _head(scope)
            if not _is_local(request):
                await _send(send, _foreign())
                return
            for service in self._services:
                if service.recognises(request):
                    await self._serve(service, request, scope, receive, send)
                    return
        await self._inner(scope, receive, send)

    async def _lifespan(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> None:
        async def received() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await asyncio.to_thread(self._lifecycle.stopping)
            return message

        async def sent(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                await asyncio.to_thread(self._lifecycle.started)
            await send(message)

        await self._inner(scope, received, sent)

    async def _serve(
        self,
        service: Service,
        head: Request,
        scope: MutableMapping[str, Any],
        receive: Receive,
        send: Send,
    ) -> None:
        body = await _body(receive)
        if body is None:
            too_large = ServiceError(
                "RequestEntityTooLargeException", "The request is too large.", 413
            )
            await _send(send, error_reply(too_large))
            return
        request = Request(head.method, head.path, head.query, head.headers, body)
        loop = asyncio.get_running_loop()
        reply = await loop.run_in_executor(
            self._threads, service.answer, request, lambda: self._identify(scope, body)
        )
        await _send(send, reply)


def _head(scope: MutableMapping[str, Any]) -> Request:
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in scope.get("headers", [])
    }
    query = dict(parse_qsl(scope.get("query_string", b"").decode(), keep_blank_values=True))
    return Request(scope["method"], scope["path"], query, headers)


def _is_local(request: Request) -> bool:
    """Whether the request was made on purpose.

    The operator's credentials are public, so a page from elsewhere, open in the operator's
    browser, must not be able to use the stack, neither directly nor by rebinding a host name.
    """
    return _names_loopback(f"//{request.headers.get('host', '127.0.0.1')}") and (
        "origin" not in request.headers or _names_loopback(request.headers["origin"])
    )


def _names_loopback(address: str) -> bool:
    try:
        name = urlsplit(address).hostname or ""
    except ValueError:
        return False
    return name in LOOPBACK_NAMES or name.endswith(".localhost")


def _foreign() -> Reply:
    message = "Only pages and programs of this machine may use the embedded stack."
    return error_reply(ServiceError("AccessDeniedException", message, 403))


async def _body(receive: Receive) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > BODY_LIMIT:
            return None
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _send(send: Send, reply: Reply) -> None:
    headers = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
