"""Messages of queues in the journal; MiniStack holds them in memory until it is stopped."""

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import sqs

from loupe_local.http.wire import Json
from loupe_local.ministack.persistence.journal import Journal
from loupe_local.ministack.persistence.messages import MESSAGE, Queue


def apply(journal: Journal) -> None:
    """Notes each message that comes or goes, and restores those that were noted."""
    load = sqs.load_persisted_state

    class Queues(AccountRegionScopedDict):  # type: ignore[misc]
        """MiniStack's queues, each with its messages noted."""

        __slots__ = ()

        def __setitem__(self, key: str, value: Json) -> None:
            super().__setitem__(key, Queue(journal, value))

    def load_persisted_state(data: Json) -> None:
        load(data)
        owners = []
        for scoped, saved in sqs._queues.all_items():
            queue = Queue(journal, saved)  # notes the messages of an older release
            sqs._queues._data[scoped] = queue
            owners.append(queue.owner)
            journal.commit()
            kept = [message for _, message in journal.entries(MESSAGE, queue.owner)]
            queue.restore(sorted(kept, key=lambda one: (one["sent_at"], one.get("seq") or "")))
            for message in queue["messages"]:
                sqs._ensure_msg_fields(message)
        journal.keep_only(MESSAGE, owners)

    sqs._queues = Queues()
    sqs.load_persisted_state = load_persisted_state
