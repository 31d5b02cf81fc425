"""Posts of events to webhooks, tried again until they are taken, as EventBridge does.

Each is a row until it is delivered or given up, so that a restart loses none.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from loupe_local.database import Database, Row
from loupe_local.http.wire import Json

logger = logging.getLogger("loupe.deliveries")

LONGEST_PAUSE = 30.0
"""Seconds between two tries, at most; the service's grow to much more."""
PAUSE = 0.2
TRY_AGAIN = (401, 407, 409, 429)


@dataclass(frozen=True)
class Delivery:
    """A request to post, and what becomes of `event` when it cannot be posted."""

    request: Json
    event: Json
    target: str
    dead_letters: str
    seconds: float
    retries: int


class Deliveries:
    """`post` returns a status or raises OSError; `give_up` takes a delivery and the reason."""

    def __init__(
        self,
        database: Database,
        post: Callable[[Json], int],
        give_up: Callable[[Delivery, str], None],
    ) -> None:
        self._database = database
        self._post = post
        self._give_up = give_up
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loupe-deliveries", daemon=True)

    def start(self) -> None:
        """Goes on with what the last run of the server left."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the post that is on its way."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def take(self, delivery: Delivery) -> None:
        """Posts as soon as it can be."""
        now = time.time()
        self._database.run(
            "INSERT INTO delivery (content, due, ends, tries) VALUES (?, ?, ?, 0)",
            json.dumps(vars(delivery)),
            now,
            now + delivery.seconds,
        )

    def _run(self) -> None:
        while not self._ending.wait(PAUSE):
            query = "SELECT * FROM delivery WHERE due <= ? ORDER BY number"
            for row in self._database.rows(query, time.time()):
                if self._ending.is_set():
                    return
                self._try(row)

    def _try(self, row: Row) -> None:
        delivery = Delivery(**json.loads(row["content"]))
        outcome, is_passing = self._outcome(delivery)
        tries = row["tries"] + 1
        due = time.time() + min(2.0**tries / 2, LONGEST_PAUSE)
        if outcome and is_passing and due < row["ends"] and tries <= delivery.retries:
            logger.info("%s is posted again: %s", delivery.target, outcome)
            self._database.run(
                "UPDATE delivery SET due = ?, tries = ? WHERE number = ?", due, tries, row["number"]
            )
            return
        if outcome:
            self._give_up(delivery, outcome)
        self._database.run("DELETE FROM delivery WHERE number = ?", row["number"])

    def _outcome(self, delivery: Delivery) -> tuple[str, bool]:
        """What was wrong ("" if nothing), and whether it may pass."""
        try:
            status = self._post(delivery.request)
        except OSError as error:
            return str(error), True
        if 200 <= status < 300:
            return "", False
        return f"HTTP {status}", status in TRY_AGAIN or status >= 500
