"""Makes MiniStack's (1.5.33) table items, stream records, queue messages and object events durable.

MiniStack holds them in memory and saves them whole, at shutdown. Here each change is noted in the
journal, which is committed before a reply leaves (see `acknowledgement`); what is saved whole holds
none of them any more.
"""

# ruff: noqa: PLC0415
# MiniStack reads the environment when it is imported, so it is imported when it is first needed.

import copy
import functools
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, SupportsIndex

from loupe_local.journal import Journal
from loupe_local.wire import Json

logger = logging.getLogger("loupe.journal")

ITEM, RECORD, END, MESSAGE, POSITION = "item", "record", "end", "message", "position"
"""Kinds of entries: items and stream records of a table and where its stream ends, messages of a
queue, and how far an event source mapping has read a stream."""

WRITES = (
    "_put_item",
    "_update_item",
    "_delete_item",
    "_batch_write_item",
    "_transact_write_items",
    "_execute_statement",
    "_batch_execute_statement",
    "_execute_transaction",
)
TABLE_SETTINGS = (
    "tags",
    "ttl_settings",
    "pitr_settings",
    "kinesis_destinations",
    "contributor_insights",
    "backups",
    "resource_policies",
    "exports",
    "imports",
)
"""What DynamoDB knows beside its tables, as MiniStack names it in its state."""
WRITTEN_WITHIN = 1.0
"""Seconds by which the clock of files may be behind this process's."""
SIDECAR = ".meta.json"
"""How the name of the file ends that MiniStack keeps beside each object."""


def mend(journal: Journal) -> None:
    """Applies all changes."""
    _keep_items(journal)
    _keep_records(journal)
    _keep_positions(journal)
    _keep_messages(journal)
    _announce_objects_before_the_reply()


def _keep_items(journal: Journal) -> None:
    from ministack.services import dynamodb

    set_item, remove_item = dynamodb._set_item, dynamodb._remove_item
    items_replaced, load = dynamodb._items_replaced, dynamodb.load_persisted_state

    def keep(table: Json, pk: str, sk: str, item: Any) -> Any:
        journal.put(ITEM, table["TableId"], _item_key(pk, sk), item)
        return set_item(table, pk, sk, item)

    def drop(table: Json, pk: str, sk: str) -> Any:
        journal.remove(ITEM, table["TableId"], _item_key(pk, sk))
        return remove_item(table, pk, sk)

    def keep_all(table: Json) -> None:
        _note_items(journal, table)
        items_replaced(table)

    def load_persisted_state(data: Json) -> None:
        load(data)
        for table in dynamodb._tables.all_values():
            _restore_items(journal, table)
            items_replaced(table)
        _forget_others(journal, ITEM, _table_ids())

    dynamodb._set_item, dynamodb._remove_item = keep, drop
    dynamodb._items_replaced = keep_all
    dynamodb.get_state, dynamodb.load_persisted_state = _tables_without_items, load_persisted_state
    for name in WRITES:
        setattr(dynamodb, name, _together(journal, getattr(dynamodb, name)))


def _note_items(journal: Journal, table: Json) -> None:
    """Notes all items of a table in place of those that were noted."""
    with journal.together():
        journal.clear(ITEM, table["TableId"])
        for pk, items in table["items"].items():
            for sk, item in items.items():
                journal.put(ITEM, table["TableId"], _item_key(pk, sk), item)


def _restore_items(journal: Journal, table: Json) -> None:
    """Fills a table; one that an older release saved whole has its items, which are noted."""
    if any(table["items"].values()):
        _note_items(journal, table)
        return
    for key, item in journal.entries(ITEM, table["TableId"]):
        pk, sk = json.loads(key)
        table["items"][pk][sk] = item


def _tables_without_items() -> Json:
    """DynamoDB's state as it is saved whole."""
    from ministack.core.responses import AccountRegionScopedDict
    from ministack.services import dynamodb

    bare = AccountRegionScopedDict()
    for scoped, table in dynamodb._tables.all_items():
        derived = ("items", dynamodb._INDEX_MEMBERS)
        kept = {name: value for name, value in table.items() if name not in derived}
        bare._data[scoped] = {**copy.deepcopy(kept), "items": {}}
    settings = {name: copy.deepcopy(getattr(dynamodb, f"_{name}")) for name in TABLE_SETTINGS}
    return {"tables": bare, **settings}


def _table_ids() -> list[str]:
    from ministack.services import dynamodb

    return [table["TableId"] for table in dynamodb._tables.all_values()]


def _together(journal: Journal, write: Callable[[Json], Any]) -> Callable[[Json], Any]:
    """`write`, whose items and stream records are committed together."""

    @functools.wraps(write)
    def written(data: Json) -> Any:
        with journal.together():
            return write(data)

    return written


def _keep_records(journal: Journal) -> None:
    """Keeps stream records, each under its position since the stream began."""
    from ministack.services import dynamodb

    emit, load = dynamodb._emit_stream_event, dynamodb.load_persisted_state
    trim = dynamodb._trim_stream_records

    def emit_stream_event(name: str, *change: Any, **options: Any) -> None:
        end = dynamodb.stream_end_position(name)
        emit(name, *change, **options)
        if dynamodb.stream_end_position(name) > end:
            owner = dynamodb._tables[name]["TableId"]
            journal.put(RECORD, owner, _position_key(end), dynamodb._stream_records[name][-1])
            journal.put(END, owner, "", end + 1)

    def trim_stream_records(name: str, *, account_id: Any = None, region: Any = None) -> None:
        before = dynamodb._trimmed_count(name, account_id, region)
        trim(name, account_id=account_id, region=region)
        trimmed = dynamodb._trimmed_count(name, account_id, region)
        if trimmed > before:
            tables = dynamodb._tables
            table = tables.get_scoped(account_id, region, name) or tables.get(name)
            journal.remove_before(RECORD, table["TableId"], _position_key(trimmed))

    def load_persisted_state(data: Json) -> None:
        load(data)
        # Of a release that saved them whole.
        dynamodb._stream_records.update(data.get("stream_records", {}))
        dynamodb._stream_trimmed.update(data.get("stream_trimmed", {}))
        for scoped, table in dynamodb._tables.all_items():
            _restore_records(journal, scoped, table["TableId"])
        for kind in (RECORD, END):
            _forget_others(journal, kind, _table_ids())

    dynamodb._emit_stream_event = emit_stream_event
    dynamodb._trim_stream_records = trim_stream_records
    dynamodb.load_persisted_state = load_persisted_state


def _restore_records(journal: Journal, scoped: Any, owner: str) -> None:
    """Fills a table's stream, or notes what an older release saved of it."""
    from ministack.services import dynamodb

    if ends := journal.entries(END, owner):
        ((_, end),) = ends
        records = [record for _, record in journal.entries(RECORD, owner)]
        dynamodb._stream_records._data[scoped] = records
        dynamodb._stream_trimmed._data[scoped] = end - len(records)
        return
    trimmed = dynamodb._stream_trimmed._data.get(scoped, 0)
    records = dynamodb._stream_records._data.get(scoped, [])
    for position, record in enumerate(records, trimmed):
        journal.put(RECORD, owner, _position_key(position), record)
    journal.put(END, owner, "", trimmed + len(records))


def _keep_positions(journal: Journal) -> None:
    """Keeps how far each mapping has read its stream, beside the stream itself."""
    from ministack.core.responses import AccountRegionScopedDict
    from ministack.services import lambda_svc

    load = lambda_svc.load_persisted_state

    class Positions(AccountRegionScopedDict):  # type: ignore[misc]
        """MiniStack's positions, each noted when it moves."""

        __slots__ = ()

        def __setitem__(self, key: str, value: int) -> None:
            super().__setitem__(key, value)
            journal.put(POSITION, json.dumps(self._scoped(key)), "", value)

    def load_persisted_state(data: Json) -> None:
        known = {
            tuple(json.loads(owner)): position
            for owner in journal.owners(POSITION)
            for _, position in journal.entries(POSITION, owner)
        }
        if known:
            data["dynamodb_stream_positions"] = AccountRegionScopedDict()
            data["dynamodb_stream_positions"]._data.update(known)
        load(data)

    lambda_svc._dynamodb_stream_positions = Positions()
    lambda_svc.load_persisted_state = load_persisted_state


def _keep_messages(journal: Journal) -> None:
    from ministack.core.responses import AccountRegionScopedDict
    from ministack.services import sqs

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
        _forget_others(journal, MESSAGE, owners)

    sqs._queues = Queues()
    sqs.load_persisted_state = load_persisted_state


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
        identities = {message["id"] for message in kept}
        known = {message["id"] for message in self["messages"]}
        for message in self["messages"]:
            if message["id"] not in identities:
                self.taken(message)
        for message in kept:
            if message["id"] not in known:
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


def _announce_objects_before_the_reply() -> None:
    """Puts an object's event into its queues before the request is answered, not some time after.

    So the commit before the reply covers the event with the object.
    """
    from ministack.services import s3

    def fire(bucket: str, key: str, event: str, *args: Any, **options: Any) -> None:
        if bucket in s3._bucket_notifications:
            options["sequencer"] = s3._next_event_sequencer(event)
            s3._fire_s3_event(bucket, key, event, *args, **options)

    s3._fire_s3_event_async = fire


def announce_again(journal: Journal, objects: Path) -> None:
    """Sends the events of objects that were written or deleted since the last commit.

    An object is on disk before its event is committed: a crash between the two leaves one that
    nobody acknowledged and nobody heard of. An event may so be sent twice, as in AWS.
    """
    from ministack.core import responses
    from ministack.services import s3

    since = journal.committed_at() - WRITTEN_WITHIN
    for account, bucket, sidecar in _sidecars(objects):
        if sidecar.stat().st_mtime < since:
            continue
        state = json.loads(sidecar.read_text())
        key, version = state.get("key"), state.get("version_id")
        logger.info("the event of %s in %s is sent again", key, bucket)
        responses.set_request_account_id(account)
        if state.get("is_delete_marker"):
            event, details = (
                "s3:ObjectRemoved:DeleteMarkerCreated",
                {"deletion_type": "Delete Marker Created"},
            )
        else:
            event, details = (
                "s3:ObjectCreated:Put",
                {
                    "size": state.get("size", 0),
                    "etag": state.get("etag", ""),
                },
            )
        s3._fire_s3_event_async(bucket, key, event, version_id=version, **details)


def _sidecars(objects: Path) -> Iterator[tuple[str, str, Path]]:
    """Account, bucket and file of what is kept beside each object."""
    for account in objects.glob("[0-9]*"):
        for bucket in account.iterdir():
            for folder, _, names in os.walk(bucket):
                for name in names:
                    if name.endswith(SIDECAR):
                        yield account.name, bucket.name, Path(folder, name)


def _forget_others(journal: Journal, kind: str, owners: Iterable[str]) -> None:
    """Drops what belongs to a table or queue that is no more."""
    for owner in set(journal.owners(kind)) - set(owners):
        journal.clear(kind, owner)


def _item_key(pk: str, sk: str) -> str:
    return json.dumps([pk, sk])


def _position_key(position: int) -> str:
    return f"{position:020d}"
