"""moto copies a whole table before each transaction, to undo it; here only what it touches."""

from collections.abc import Callable
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest
from moto.dynamodb import models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

_write: Callable[[DynamoDBBackend, list[dict[str, Any]]], None]
_write = DynamoDBBackend.transact_write_items


def install(patch: pytest.MonkeyPatch) -> None:
    """Let moto write transactions so until `patch` is undone."""
    patch.setattr(models, "copy", SimpleNamespace(deepcopy=_unless_table))
    patch.setattr(DynamoDBBackend, "transact_write_items", _write_and_undo)


def _unless_table(value: Any) -> Any:
    return value if isinstance(value, Table) else deepcopy(value)


def _write_and_undo(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    undo = [_undo(backend, body) for item in transact_items for body in item.values()]
    try:
        _write(backend, transact_items)
        for item in transact_items:
            for body in item.values():
                _check_keys(backend, body)
    except Exception:
        for step in undo:
            step()
        raise


def _check_keys(backend: DynamoDBBackend, body: dict[str, Any]) -> None:
    """DynamoDB refuses an attribute that is an index's key and has another type; moto does not."""
    table = backend.tables[body["TableName"]]
    keys = body.get("Key") or body["Item"]
    partition, sort = DynamoType(keys[table.hash_key_attr]), DynamoType(keys["sk"])
    item = table.get_item(partition, sort)
    for key in table.attr:
        value = item.attrs.get(key["AttributeName"]) if item else None
        if value is not None and value.type != key["AttributeType"]:
            raise AssertionError(f"the key {key['AttributeName']} is written as {value}")


def _undo(backend: DynamoDBBackend, body: dict[str, Any]) -> Callable[[], None]:
    """Puts back what stands below the partition key that `body` writes to, and the stream."""
    table = backend.tables[body["TableName"]]
    key = DynamoType((body.get("Key") or body["Item"])[table.hash_key_attr])
    before = deepcopy(table.items.get(key))
    stream = table.stream_shard.items if table.stream_shard else []
    length = len(stream)

    def step() -> None:
        del stream[length:]
        table.items.pop(key, None)
        if before is not None:
            table.items[key] = before

    return step
