"""Saves what MiniStack keeps in memory and the journal does not, while it runs.

What a request changes is saved before its reply (see `http.acknowledgement`); what changes by
itself, an execution that goes on for instance, seconds later.
"""

import hashlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

logger = logging.getLogger("loupe.snapshots")

Snapshot = tuple[str, str]
Chosen = Callable[[str], bool]
"""Whether a service is meant."""

INTERVAL = 2.0
"""Seconds between two saves."""
REST = 2.0
"""At least this many times the length of the last save is waited, so that a large state does not
keep a core busy with saving."""
ATTEMPTS = 5
SELDOM = frozenset({"cloudwatch", "cloudwatch_logs"})
"""Services whose loss harms nobody and whose state is large."""
SELDOM_INTERVAL = 30.0
"""Seconds between two saves of those."""


class Snapshots(Protocol):
    """Yields services with their states."""

    def __call__(self, chosen: Chosen) -> Iterable[Snapshot]:
        """The state of all services that are chosen."""


def every(_name: str) -> bool:
    """Chooses all services."""
    return True


def frequent(name: str) -> bool:
    """Chooses the services that are saved every time."""
    return name not in SELDOM


class SnapshotWriter:
    """Writes the state of each service that changed to a file of its own.

    Before, `commit` writes what the journal noted, and `trim` drops what need not be kept.
    """

    def __init__(
        self,
        folder: Path,
        snapshots: Snapshots,
        commit: Callable[[], None],
        trim: Callable[[], None],
    ) -> None:
        self._folder = folder
        self._snapshots = snapshots
        self._commit = commit
        self._trim = trim
        self._written: dict[str, bytes] = {}
        self._saving = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loupe-snapshots", daemon=True)

    def start(self) -> None:
        """Takes what there is now as saved, and saves what changes from here on."""
        self._written = {name: _digest(text) for name, text in self._read(every)}
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; a save that is being written is finished."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()

    def save(self, chosen: Chosen = every) -> None:
        """Writes every chosen service that changed since it was last written."""
        with self._saving:
            states = self._read(chosen)
            self._commit()
            for name, text in states:
                digest = _digest(text)
                if self._written.get(name) != digest:
                    self._write(name, text)
                    self._written[name] = digest

    def _run(self) -> None:
        pause, complete = INTERVAL, time.monotonic()
        while not self._end.wait(pause):
            began = time.monotonic()
            seldom = began - complete >= SELDOM_INTERVAL
            try:
                if seldom:
                    self._trim()
                    complete = began
                self.save(every if seldom else frequent)
            except (OSError, RuntimeError, sqlite3.Error) as error:
                # A full disk, or a service that never rested: the next save may succeed.
                logger.error("state not saved: %s", error)
            pause = max(INTERVAL, REST * (time.monotonic() - began))

    def _read(self, chosen: Chosen) -> list[Snapshot]:
        for _ in range(ATTEMPTS):
            try:
                return list(self._snapshots(chosen))
            except RuntimeError as error:  # a dictionary changed while it was copied
                reason = error
        raise RuntimeError(f"the services changed all the time: {reason}")

    def _write(self, name: str, text: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f"{name}.json.tmp"
        partial.write_text(text)
        partial.replace(self._folder / f"{name}.json")


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
