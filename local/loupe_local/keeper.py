"""Saves what MiniStack keeps in memory while it runs, so that a crash loses seconds at most."""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Protocol

logger = logging.getLogger("loupe.keeper")

Snapshot = tuple[str, str]

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
    """Yields services in the order in which they must be read."""

    def __call__(self, without: Collection[str] = ()) -> Iterable[Snapshot]:
        """The state of all services but those named."""


class Keeper:
    """Writes the state of each service that changed to a file of its own.

    Services are written in the opposite order of that in which they are read (see
    ministack_seam.QUEUES_FIRST). Before, `trim` drops what need not be kept.
    """

    def __init__(self, folder: Path, snapshots: Snapshots, trim: Callable[[], None]) -> None:
        self._folder = folder
        self._snapshots = snapshots
        self._trim = trim
        self._written: dict[str, bytes] = {}
        self._saving = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loupe-keeper", daemon=True)

    def start(self) -> None:
        """Takes what there is now as saved, and saves what changes from here on."""
        self._written = {name: _digest(text) for name, text in self._read(())}
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; a save that is being written is finished."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()

    def save(self, without: Collection[str] = ()) -> None:
        """Writes every service that changed since it was last written."""
        with self._saving:
            for name, text in reversed(self._read(without)):
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
                self.save(() if seldom else SELDOM)
            except (OSError, RuntimeError) as error:
                # A full disk, or a service that never rested: the next save may succeed.
                logger.error("state not saved: %s", error)
            pause = max(INTERVAL, REST * (time.monotonic() - began))

    def _read(self, without: Collection[str]) -> list[Snapshot]:
        for _ in range(ATTEMPTS):
            try:
                return list(self._snapshots(without))
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
