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
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from loupe_local import credentials, process_guard
from loupe_local.credentials import Credentials
from loupe_local.environment import HOST, Home, adopt, server_environment

logger = logging.getLogger("loupe.server")


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
        guard = process_guard.watch()
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


async def _serve(home: Home, root: Credentials, port: int, console_port: int) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    config = Config()
    config.bind = [f"{HOST}:{port}", f"{HOST}:{console_port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 3
    # MiniStack, which the application imports, reads this process's environment at that moment.
    from loupe_local.application import build  # noqa: PLC0415

    application: Any = build(home, root, port, console_port)
    await serve(application, config, shutdown_trigger=end.wait)


if __name__ == "__main__":
    main()
