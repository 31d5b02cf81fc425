"""What was acknowledged stays: a reply leaves when what it acknowledges is on disk."""

from collections.abc import Callable

from loupe_local.http.asgi import Application, Message, Receive, Scope, Send
from loupe_local.ministack.persistence.journal import Journal
from loupe_local.ministack.persistence.snapshots import Chosen, SnapshotWriter

Changes = Callable[[Scope], Chosen | None]
"""Chooses the services, among those that are saved whole, that a request changed."""


class Acknowledgement:
    """ASGI application in front of MiniStack's.

    It runs in the event loop, where MiniStack answers requests, so that nothing is in the middle
    of a request while it saves. A reply whose change cannot be written becomes a failure.
    """

    def __init__(
        self, inner: Application, journal: Journal, snapshots: SnapshotWriter, changes: Changes
    ) -> None:
        self._inner = inner
        self._journal = journal
        self._snapshots = snapshots
        self._changes = changes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Holds each reply back until it may be believed."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._save(scope)
            await send(message)

        await self._inner(scope, receive, sent if scope["type"] == "http" else send)

    def _save(self, scope: Scope) -> None:
        self._journal.commit()
        chosen = self._changes(scope)
        if chosen is not None:
            self._snapshots.save(chosen)
