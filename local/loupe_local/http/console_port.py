"""The web console's own address: a port that leads to the deployed HTTP API, as in AWS its host.

A port of its own makes it an origin of its own, so that what a browser forbids between the page
and S3 or Cognito it forbids here too.
"""

from collections.abc import Callable
from urllib.parse import quote

from loupe_local.http.asgi import Application, Receive, Scope, Send

NOT_DEPLOYED = b"Loupe is not deployed here yet: run 'loupe up'.\n"


class ConsolePort:
    """ASGI application in front of MiniStack's; `find_api` gives the HTTP API's id, or ""."""

    def __init__(self, inner: Application, port: int, find_api: Callable[[], str]) -> None:
        self._inner = inner
        self._port = port
        self._find_api = find_api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Requests at the console's port go to its API, all others on."""
        if scope["type"] == "http" and (scope.get("server") or ("", 0))[1] == self._port:
            api = self._find_api()
            if not api:
                await send({"type": "http.response.start", "status": 503, "headers": []})
                await send({"type": "http.response.body", "body": NOT_DEPLOYED})
                return
            place = f"/_aws/execute-api/{api}/$default"
            raw = scope.get("raw_path") or quote(scope["path"]).encode()
            if not _is_signed(scope):  # A signature covers the path as it was sent.
                raw = place.encode() + raw
            scope = {**scope, "path": place + scope["path"], "raw_path": raw}
        await self._inner(scope, receive, send)


def _is_signed(scope: Scope) -> bool:
    """Whether an application signed the request; people bring a token."""
    authorization: bytes = dict(scope["headers"]).get(b"authorization", b"")
    return authorization.startswith(b"AWS4-")
