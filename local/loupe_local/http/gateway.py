"""One address for all services: those of this package are answered here, the rest by MiniStack."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol
from urllib.parse import parse_qsl

from loupe_local.http.admission import Admission
from loupe_local.http.asgi import Application, Message, Receive, Scope, Send
from loupe_local.http.wire import Caller, Reply, Request, ServiceError, error_reply

Identify = Callable[[Scope, bytes], Caller]

BODY_LIMIT = 16 * 1024 * 1024
WORKERS = 16
POLICY_VIOLATION = 1008
TOO_LARGE = ServiceError("RequestEntityTooLargeException", "The request is too large.", 413)


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
        admission: Admission,
        identify: Identify,
        lifecycle: Lifecycle,
    ) -> None:
        self._inner = inner
        self._services = services
        self._admission = admission
        self._identify = identify
        self._lifecycle = lifecycle
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="loupe-service")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif scope["type"] == "http":
            await self._admit(scope, receive, send)
        else:  # Loupe has no WebSocket
            await receive()
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses what may not come in, and leads the rest to who answers it."""
        request = _head(scope)
        if objection := self._admission.objection(request):
            message = f"The embedded stack serves its own pages and programs: {objection}."
            await _send(send, error_reply(ServiceError("AccessDeniedException", message, 403)))
            return
        _, port = scope["server"]
        service = next((one for one in self._services if one.recognises(request)), None)
        if self._admission.needs_signature(request, port):
            await self._check(service, request, scope, receive, send)
        elif service and port == self._admission.port:
            await self._show(service, request, scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _show(
        self, service: Service, head: Request, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answers what needs no signature: the health of the stack, and the portal."""
        body = await _body(receive, BODY_LIMIT)
        if body is None:
            await _send(send, error_reply(TOO_LARGE))
            return
        await self._serve(service, head, body, lambda: self._identify(scope, body), send)

    async def _check(
        self, service: Service | None, head: Request, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Lets a request in whose signature, which covers its body, is right."""
        body = await _body(receive, BODY_LIMIT if service else None)
        if body is None:
            await _send(send, error_reply(TOO_LARGE))
            return
        try:
            caller = self._identify(scope, body)
        except ServiceError as error:
            await _send(send, error_reply(error))
            return
        if refusal := caller.verify():
            await _send(send, refusal)
        elif service:
            await self._serve(service, head, body, lambda: caller, send)
        else:
            await self._inner(scope, _replay(body, receive), send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
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
        body: bytes,
        caller: Callable[[], Caller],
        send: Send,
    ) -> None:
        request = Request(head.method, head.path, head.query, head.headers, body)
        loop = asyncio.get_running_loop()
        await _send(
            send, await loop.run_in_executor(self._threads, service.answer, request, caller)
        )


def _head(scope: Scope) -> Request:
    """The request without its body; the lines of a header that comes twice are joined."""
    headers: dict[str, str] = {}
    for raw, text in scope["headers"]:
        name, value = raw.decode("latin-1").lower(), text.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    query = dict(parse_qsl(scope.get("query_string", b"").decode(), keep_blank_values=True))
    return Request(scope["method"], scope["path"], query, headers)


async def _body(receive: Receive, limit: int | None) -> bytes | None:
    """The body, or None if it is larger than `limit`."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if limit is not None and size > limit:
            return None
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Receives a body that was read once more, then what comes after it."""
    whole = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return whole.pop() if whole else await receive()

    return received


async def _send(send: Send, reply: Reply) -> None:
    headers = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
