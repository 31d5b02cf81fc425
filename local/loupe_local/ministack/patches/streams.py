"""Stream records of tables, and how far they are read, in the journal.

Each record stands under its position since the stream began.
"""

import json
from typing import Any

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import dynamodb, lambda_svc

from loupe_local.http.wire import Json
from loupe_local.ministack.patches.tables import table_ids
from loupe_local.ministack.persistence.journal import Journal

RECORD, END, POSITION = "record", "end", "position"
"""The journal's kinds: records of a stream, where it ends, and how far a mapping has read one."""


def apply(journal: Journal) -> None:
    """Apply both changes."""
    _keep_records(journal)
    _keep_positions(journal)


def _keep_records(journal: Journal) -> None:
    """Notes each record, and restores those that were noted."""
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
            journal.keep_only(kind, table_ids())

    dynamodb._emit_stream_event = emit_stream_event
    dynamodb._trim_stream_records = trim_stream_records
    dynamodb.load_persisted_state = load_persisted_state


def _restore_records(journal: Journal, scoped: Any, owner: str) -> None:
    """Fills a table's stream, or notes what an older release saved of it."""
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
    load = lambda_svc.load_persisted_state

    class Positions(AccountRegionScopedDict):  # type: ignore[misc]
        """MiniStack's positions, each noted when it moves."""

        __slots__ = ()

        def __setitem__(self, key: str, value: int) -> None:
            super().__setitem__(key, value)
            journal.put(POSITION, json.dumps(self._scoped(key)), "", value)

    def load_persisted_state(data: Json) -> None:
        positions = {
            tuple(json.loads(owner)): position
            for owner in journal.owners(POSITION)
            for _, position in journal.entries(POSITION, owner)
        }
        if positions:
            data["dynamodb_stream_positions"] = AccountRegionScopedDict()
            data["dynamodb_stream_positions"]._data.update(positions)
        load(data)

    lambda_svc._dynamodb_stream_positions = Positions()
    lambda_svc.load_persisted_state = load_persisted_state


def _position_key(position: int) -> str:
    return f"{position:020d}"
