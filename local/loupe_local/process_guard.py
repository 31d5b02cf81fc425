"""Ends what the server started when the server is gone, however it ended.

Functions run in worker processes, which a killed server would leave behind. This process holds
one end of a pipe whose other end only the server has. When that closes, the process group ends:
the server's own, of which this process is a member, so that no other process can have its number.
"""

import os
import signal
import subprocess
import sys

from loupe_local.environment import code_environment


def watch() -> "subprocess.Popen[bytes]":
    """Starts the guard. The caller must lead its process group and keep the answer."""
    command = [sys.executable, "-m", "loupe_local.process_guard"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, env=code_environment())


def main() -> None:
    """Waits for the end of the server."""
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
