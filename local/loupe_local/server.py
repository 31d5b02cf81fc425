"""The embedded stack's server: `python -m loupe_local.server --home DIR --port N`.

`loupe_local.stack` starts and stops it.
"""

import argparse
import asyncio
import fcntl
import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from loupe_local import (
    credentials,
    ministack_access,
    ministack_code,
    ministack_errors,
    ministack_journal,
    ministack_mends,
    ministack_nested,
    ministack_resources,
    ministack_seam,
    ministack_webhooks,
    reaper,
)
from loupe_local.a2i.service import A2I
from loupe_local.a2i.workers import Workers
from loupe_local.acknowledgement import Acknowledgement
from loupe_local.admission import HEALTH, Admission
from loupe_local.console import ConsoleDoor
from loupe_local.credentials import Credentials
from loupe_local.database import Database
from loupe_local.deliveries import Deliveries
from loupe_local.environment import HOST, Home, adopt, server_environment, url
from loupe_local.gateway import Gateway, Service
from loupe_local.journal import Journal
from loupe_local.keeper import Keeper
from loupe_local.objects import Objects
from loupe_local.rekognition.api import Rekognition
from loupe_local.rekognition.backend import Backend
from loupe_local.rekognition.detection import Detector
from loupe_local.rekognition.faults import Faults
from loupe_local.rekognition.training import Trainings
from loupe_local.wire import Caller, Reply, Request, json_reply

logger = logging.getLogger("loupe.server")


class Health:
    """Says which server this is, for those who wait for it."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def recognises(self, request: Request) -> bool:
        """GET /_loupe/health."""
        return request.path == HEALTH

    def answer(self, _request: Request, _caller: Callable[[], Caller]) -> Reply:
        """Its process and home."""
        return json_reply({"pid": os.getpid(), "home": str(self._home.path)})


class Lifecycle:
    """What starts after MiniStack, and ends before it."""

    def __init__(
        self,
        announce: Callable[[], None],
        keeper: Keeper,
        trainings: Trainings,
        deliveries: Deliveries,
        faults: Faults,
    ) -> None:
        self._announce = announce
        self._keeper = keeper
        self._faults = faults
        self._trainings = trainings
        self._deliveries = deliveries

    def started(self) -> None:
        """State is restored: goes on with what the last run left."""
        self._announce()
        self._keeper.start()
        self._trainings.start()
        self._deliveries.start()

    def stopping(self) -> None:
        """Trainings end here; they start again with the next run."""
        self._faults.close()
        self._trainings.stop()
        self._deliveries.stop()
        self._keeper.stop()


def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="Loupe's embedded AWS stack")
    parser.add_argument("--home", type=Path, required=True, help="folder that holds everything")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--console-port", type=int, required=True, help="port of the console")
    parser.add_argument("--detach", action="store_true", help="run in the background")
    arguments = parser.parse_args()
    home = Home(arguments.home.resolve())
    home.path.mkdir(parents=True, exist_ok=True)
    home.path.chmod(0o700)
    with _lock(home) as note:
        ports = {"port": arguments.port, "console_port": arguments.console_port}
        root = credentials.make(home.credentials)
        _lead(arguments.detach, note, ports)
        _empty(home.scratch)
        adopt(server_environment(home, arguments.port))
        guard = reaper.watch()
        # Functions inherit the environment: they must not find this package's folder in it.
        os.environ.pop("PYTHONPATH", None)
        asyncio.run(_serve(home, root, arguments.port, arguments.console_port))
        note.truncate(0)
        logger.info("stopped; process %s ends what is left", guard.pid)


def _lock(home: Home) -> IO[str]:
    """The server file, locked as long as it is open: at most one server a home."""
    note = home.server_file.open("a+")
    try:
        fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"A server already runs in {home.path}.")
    return note


def _lead(detach: bool, note: IO[str], ports: Mapping[str, int]) -> None:
    """Leads a process group of its own, in the background if asked to, and notes its process."""
    child = os.fork() if detach else 0
    if not child:
        if os.getpgrp() != os.getpid():
            os.setsid()
        if detach:
            return
    # In the background the note is written before the caller's process ends, so that the caller
    # finds it.
    note.truncate(0)
    note.write(json.dumps({"pid": child or os.getpid(), **ports}))
    note.flush()
    if child:
        os._exit(0)


def _empty(folder: Path) -> None:
    """Puts what the last run left aside, and deletes it while the server starts: after a kill it is
    all that functions had unpacked, tens of thousands of files."""
    if folder.exists():
        folder.rename(folder.with_name(f"{folder.name}.{time.time_ns()}"))
    folder.mkdir(parents=True)
    left = list(folder.parent.glob(f"{folder.name}.*"))
    threading.Thread(target=_delete, args=(left,), name="loupe-scratch", daemon=True).start()


def _delete(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def build(home: Home, root: Credentials, port: int, console_port: int) -> Gateway:
    """The application, with everything it needs."""
    inner = ministack_seam.application()
    ministack_access.mend(root)
    journal = Journal(home.journal)
    ministack_journal.mend(journal)
    keeper = Keeper(home.state, ministack_seam.snapshots, journal.commit, ministack_mends.trim)
    ministack_mends.mend(keeper.save)
    ministack_errors.mend()
    ministack_code.mend()
    database = Database(home.database)
    dead_letters = ministack_webhooks.DeadLetters(url(port), root)
    deliveries = Deliveries(database, ministack_webhooks.post, dead_letters)
    ministack_webhooks.mend(deliveries.take)
    ministack_resources.mend()
    ministack_nested.mend()
    objects = Objects(url(port), root)
    trainings = Trainings(database, home.models, url(port), root)
    faults = Faults(home.faults)
    backend = Backend(database, objects, home.models, trainings, Detector(home.models), faults)
    services: list[Service] = [
        Health(home),
        Rekognition(backend),
        A2I(database, faults),
        Workers(database, objects, ministack_seam.send_event),
    ]
    announce = partial(ministack_journal.announce_again, journal, home.objects)
    lifecycle = Lifecycle(announce, keeper, trainings, deliveries, faults)
    durable = Acknowledgement(inner, journal, keeper, ministack_seam.Changes())
    console = ConsoleDoor(durable, console_port, ministack_seam.console_api)
    admission = Admission(port, console_port, ministack_seam.is_bucket)
    return Gateway(console, services, admission, ministack_seam.MiniStackCaller, lifecycle)


async def _serve(home: Home, root: Credentials, port: int, console_port: int) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    config = Config()
    config.bind = [f"{HOST}:{port}", f"{HOST}:{console_port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 3
    application: Any = build(home, root, port, console_port)
    await serve(application, config, shutdown_trigger=end.wait)


if __name__ == "__main__":
    main()
