"""A queue of MiniStack's whose messages are in the journal."""

import copy
from collections.abc import Iterable
from typing import Any, SupportsIndex

from loupe_local.http.wire import Json
from loupe_local.ministack.persistence.journal import Journal

MESSAGE = "message"
"""The journal's kind of a queue's messages."""


class Queue(dict[str, Any]):
    """A queue of MiniStack's that notes which messages it holds.

    Messages are noted as they were sent: one that was received and not deleted comes back.
    """

    def __init__(self, journal: Journal, queue: Json) -> None:
        super().__init__(queue)
        self._journal = journal
        self.owner = f"{queue['attributes']['QueueArn']} {queue['attributes']['CreatedTimestamp']}"
        super().__setitem__("messages", Messages(self))
        self["messages"].extend(queue["messages"])

    def __setitem__(self, name: str, value: Any) -> None:
        if name == "messages":
            self._replace(value)
        else:
            super().__setitem__(name, value)

    def __deepcopy__(self, memo: Any) -> Json:
        """As it is saved whole: without its messages."""
        rest = {name: value for name, value in self.items() if name != "messages"}
        return {**copy.deepcopy(rest, memo), "messages": []}

    def sent(self, message: Json) -> None:
        """Notes a message that came."""
        self._journal.put(MESSAGE, self.owner, message["id"], message)

    def taken(self, message: Json) -> None:
        """Notes a message that went."""
        self._journal.remove(MESSAGE, self.owner, message["id"])

    def restore(self, messages: Iterable[Json]) -> None:
        """Holds messages that are noted already."""
        self["messages"].restore(messages)

    def _replace(self, messages: Iterable[Json]) -> None:
        kept = list(messages)
        before = {message["id"] for message in self["messages"]}
        after = {message["id"] for message in kept}
        for message in self["messages"]:
            if message["id"] not in after:
                self.taken(message)
        for message in kept:
            if message["id"] not in before:
                self.sent(message)
        replaced = Messages(self)
        replaced.restore(kept)
        super().__setitem__("messages", replaced)


class Messages(list[Json]):
    """The messages of a queue; what MiniStack does to the list is noted."""

    def __init__(self, queue: Queue) -> None:
        super().__init__()
        self._queue = queue

    def restore(self, messages: Iterable[Json]) -> None:
        """Holds messages that are noted already, in place of those here."""
        super().__init__(messages)

    def append(self, message: Json, /) -> None:
        """One came."""
        self._queue.sent(message)
        super().append(message)

    def extend(self, messages: Iterable[Json], /) -> None:
        """Several came."""
        for message in messages:
            self.append(message)

    def remove(self, message: Json, /) -> None:
        """One went."""
        super().remove(message)
        self._queue.taken(message)

    def pop(self, index: SupportsIndex = -1, /) -> Json:
        """One went."""
        message = super().pop(index)
        self._queue.taken(message)
        return message

    def clear(self) -> None:
        """All went."""
        for message in self:
            self._queue.taken(message)
        super().clear()
