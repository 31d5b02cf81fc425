"""Items of tables in the journal; MiniStack holds them in memory until it is stopped.

Each change is noted in the journal, which is committed before a reply leaves (see
`http.acknowledgement`); what is saved whole holds no items.
"""

import copy
import functools
import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import dynamodb

from loupe_local.http.wire import Json
from loupe_local.ministack.persistence.journal import Journal

ITEM = "item"
"""The journal's kind of a table's items."""


def apply(journal: Journal) -> None:
    """Notes each item that is written or deleted, and restores those that were noted."""
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
        journal.keep_only(ITEM, table_ids())

    dynamodb._set_item, dynamodb._remove_item = keep, drop
    dynamodb._items_replaced = keep_all
    dynamodb.get_state, dynamodb.load_persisted_state = _tables_without_items, load_persisted_state
    _commit_writes_together(journal)


def table_ids() -> list[str]:
    """What the journal names the owners of items and stream records by."""
    return [table["TableId"] for table in dynamodb._tables.all_values()]


def _commit_writes_together(journal: Journal) -> None:
    """One request's items and stream records are committed together or not at all."""

    def together(write: Callable[[Json], Any]) -> Callable[[Json], Any]:
        @functools.wraps(write)
        def written(data: Json) -> Any:
            with journal.together():
                return write(data)

        return written

    dynamodb._put_item = together(dynamodb._put_item)
    dynamodb._update_item = together(dynamodb._update_item)
    dynamodb._delete_item = together(dynamodb._delete_item)
    dynamodb._batch_write_item = together(dynamodb._batch_write_item)
    dynamodb._transact_write_items = together(dynamodb._transact_write_items)
    dynamodb._execute_statement = together(dynamodb._execute_statement)
    dynamodb._batch_execute_statement = together(dynamodb._batch_execute_statement)
    dynamodb._execute_transaction = together(dynamodb._execute_transaction)


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
    tables = AccountRegionScopedDict()
    derived = ("items", dynamodb._INDEX_MEMBERS)
    for scoped, table in dynamodb._tables.all_items():
        kept = {name: value for name, value in table.items() if name not in derived}
        tables._data[scoped] = {**copy.deepcopy(kept), "items": {}}
    beside_tables = {
        "tags": dynamodb._tags,
        "ttl_settings": dynamodb._ttl_settings,
        "pitr_settings": dynamodb._pitr_settings,
        "kinesis_destinations": dynamodb._kinesis_destinations,
        "contributor_insights": dynamodb._contributor_insights,
        "backups": dynamodb._backups,
        "resource_policies": dynamodb._resource_policies,
        "exports": dynamodb._exports,
        "imports": dynamodb._imports,
    }
    return {"tables": tables, **copy.deepcopy(beside_tables)}


def _item_key(pk: str, sk: str) -> str:
    return json.dumps([pk, sk])
