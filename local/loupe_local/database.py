"""SQLite files of this package; `SCHEMA` is that of what Rekognition and A2I know."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS project (
    arn TEXT PRIMARY KEY, name TEXT NOT NULL, created REAL NOT NULL, auto_update TEXT,
    UNIQUE (name)
) STRICT;
CREATE TABLE IF NOT EXISTS dataset (
    arn TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES project (arn), kind TEXT NOT NULL,
    status TEXT NOT NULL, message TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL,
    due REAL, UNIQUE (project, kind)
) STRICT;
CREATE TABLE IF NOT EXISTS entry (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset TEXT NOT NULL REFERENCES dataset (arn) ON DELETE CASCADE,
    source TEXT NOT NULL, line TEXT NOT NULL, labels TEXT NOT NULL, error TEXT,
    UNIQUE (dataset, source)
) STRICT;
CREATE TABLE IF NOT EXISTS version (
    arn TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES project (arn), name TEXT NOT NULL,
    status TEXT NOT NULL, message TEXT, description TEXT, created REAL NOT NULL, trained REAL,
    due REAL, bucket TEXT NOT NULL, prefix TEXT NOT NULL, minimum INTEGER, maximum INTEGER,
    input TEXT NOT NULL, result TEXT, folder TEXT NOT NULL, UNIQUE (project, name)
) STRICT;
CREATE TABLE IF NOT EXISTS run (
    number INTEGER PRIMARY KEY AUTOINCREMENT, version TEXT NOT NULL, units INTEGER NOT NULL,
    began REAL NOT NULL, ended REAL
) STRICT;
CREATE TABLE IF NOT EXISTS tag (
    arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (arn, key)
) STRICT;
CREATE TABLE IF NOT EXISTS task_ui (
    name TEXT PRIMARY KEY, arn TEXT NOT NULL, template TEXT NOT NULL, created REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS flow (
    name TEXT PRIMARY KEY, arn TEXT NOT NULL, request TEXT NOT NULL, created REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS workforce (
    name TEXT PRIMARY KEY, request TEXT NOT NULL, created REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS workteam (
    name TEXT PRIMARY KEY, request TEXT NOT NULL, created REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS loop (
    name TEXT PRIMARY KEY, arn TEXT NOT NULL, flow TEXT NOT NULL, input TEXT NOT NULL,
    attributes TEXT, status TEXT NOT NULL, output TEXT, created REAL NOT NULL, due REAL NOT NULL,
    failure TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS delivery (
    number INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL, due REAL NOT NULL,
    ends REAL NOT NULL, tries INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS answer (
    loop TEXT NOT NULL REFERENCES loop (name) ON DELETE CASCADE, worker TEXT NOT NULL,
    content TEXT NOT NULL, accepted REAL NOT NULL, submitted REAL NOT NULL,
    PRIMARY KEY (loop, worker)
) STRICT;
"""

Row = sqlite3.Row


class Database:
    """Rows in, rows out. What a `with database.change()` block did is on disk when it ends.

    With `synchronous="NORMAL"` it survives the process, and not for certain a power cut.
    """

    def __init__(self, path: Path, schema: str = SCHEMA, synchronous: str = "FULL") -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {synchronous}")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(schema)

    @contextmanager
    def change(self) -> Iterator[None]:
        """A transaction; it is undone if the block raises or it cannot be committed."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def run(self, statement: str, *values: Any) -> int:
        """Executes a statement and says how many rows it changed."""
        with self._lock:
            return self._connection.execute(statement, values).rowcount

    def rows(self, query: str, *values: Any) -> list[Row]:
        """All rows of a query."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def row(self, query: str, *values: Any) -> Row | None:
        """The first row of a query."""
        rows = self.rows(query, *values)
        return rows[0] if rows else None

    def count(self, query: str, *values: Any) -> int:
        """The single number of a query."""
        return int(self.rows(query, *values)[0][0])
