"""What changes too often to be saved whole: kept row by row, on disk before it is acknowledged.

A row that was committed survives the death of the process. Of a power cut the last moments may be
lost: they are in the operating system's hands by then.
"""

import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loupe_local.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    kind TEXT NOT NULL, owner TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (kind, owner, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS commits (number INTEGER PRIMARY KEY, at REAL NOT NULL) STRICT;
"""
PUT = "INSERT OR REPLACE INTO entry (kind, owner, key, value) VALUES (?, ?, ?, ?)"
REMOVE = "DELETE FROM entry WHERE kind = ? AND owner = ? AND key = ?"
REMOVE_BEFORE = "DELETE FROM entry WHERE kind = ? AND owner = ? AND key < ?"
CLEAR = "DELETE FROM entry WHERE kind = ? AND owner = ?"
COMMITTED = "INSERT OR REPLACE INTO commits (number, at) VALUES (1, ?)"


class Journal:
    """Entries by kind, owner and key. Changes are noted at once and written by `commit`.

    All that was noted before a commit is written by it in one transaction, so that what is on
    disk is always a state that the services were in.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._noted: list[tuple[str, tuple[str, ...]]] = []
        self._database = Database(path, SCHEMA, synchronous="NORMAL")

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is noted in the block is committed together or not at all."""
        with self._lock:
            yield

    def put(self, kind: str, owner: str, key: str, value: Any) -> None:
        """Notes a new entry, or a new value of one."""
        text = json.dumps(value)
        with self._lock:
            self._noted.append((PUT, (kind, owner, key, text)))

    def remove(self, kind: str, owner: str, key: str) -> None:
        """Notes that an entry is gone."""
        with self._lock:
            self._noted.append((REMOVE, (kind, owner, key)))

    def remove_before(self, kind: str, owner: str, key: str) -> None:
        """Notes that the entries whose keys sort before `key` are gone."""
        with self._lock:
            self._noted.append((REMOVE_BEFORE, (kind, owner, key)))

    def clear(self, kind: str, owner: str) -> None:
        """Notes that all entries of an owner are gone."""
        with self._lock:
            self._noted.append((CLEAR, (kind, owner)))

    def keep_only(self, kind: str, owners: Iterable[str]) -> None:
        """Notes that the entries of all other owners are gone: of a deleted table, for instance."""
        for owner in set(self.owners(kind)) - set(owners):
            self.clear(kind, owner)

    def commit(self) -> None:
        """Writes what was noted; it stays noted if that fails.

        Raises:
            sqlite3.Error: the disk is full, for instance.
        """
        with self._lock:
            if not self._noted:
                return
            with self._database.change():
                for statement, values in self._noted:
                    self._database.run(statement, *values)
                self._database.run(COMMITTED, time.time())
            self._noted.clear()

    def entries(self, kind: str, owner: str) -> list[tuple[str, Any]]:
        """The committed keys and values of an owner, sorted by key."""
        query = "SELECT key, value FROM entry WHERE kind = ? AND owner = ? ORDER BY key"
        rows = self._database.rows(query, kind, owner)
        return [(row["key"], json.loads(row["value"])) for row in rows]

    def owners(self, kind: str) -> list[str]:
        """Who has entries of a kind."""
        query = "SELECT DISTINCT owner FROM entry WHERE kind = ?"
        return [row["owner"] for row in self._database.rows(query, kind)]

    def committed_at(self) -> float:
        """When something was last written, in seconds since 1970; 0 if never."""
        row = self._database.row("SELECT at FROM commits")
        return float(row["at"]) if row else 0.0
