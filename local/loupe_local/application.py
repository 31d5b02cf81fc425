"""The embedded stack's application: MiniStack, and in front of it what this package adds.

The environment of the server must be set before this module is imported.
"""

import os
from collections.abc import Callable

from loupe_local.a2i.service import A2I
from loupe_local.a2i.workers import Workers
from loupe_local.credentials import Credentials
from loupe_local.database import Database
from loupe_local.deliveries import Deliveries
from loupe_local.environment import Home, url
from loupe_local.http.admission import HEALTH, Admission
from loupe_local.http.console_port import ConsolePort
from loupe_local.http.gateway import Gateway, Service
from loupe_local.http.wire import Caller, Reply, Request, json_reply
from loupe_local.ministack import internals, patches, retention
from loupe_local.ministack.caller import MiniStackCaller
from loupe_local.ministack.changes import Changes
from loupe_local.ministack.patches import s3, webhooks
from loupe_local.ministack.persistence.acknowledgement import Acknowledgement
from loupe_local.ministack.persistence.journal import Journal
from loupe_local.ministack.persistence.snapshots import SnapshotWriter
from loupe_local.objects import Objects
from loupe_local.rekognition.api import Rekognition
from loupe_local.rekognition.backend import Backend
from loupe_local.rekognition.detector import Detector
from loupe_local.rekognition.faults import Faults
from loupe_local.rekognition.training import Trainings


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
        snapshots: SnapshotWriter,
        trainings: Trainings,
        deliveries: Deliveries,
        faults: Faults,
    ) -> None:
        self._announce = announce
        self._snapshots = snapshots
        self._faults = faults
        self._trainings = trainings
        self._deliveries = deliveries

    def started(self) -> None:
        """State is restored: goes on with what the last run left."""
        self._announce()
        self._snapshots.start()
        self._trainings.start()
        self._deliveries.start()

    def stopping(self) -> None:
        """Trainings end here; they start again with the next run."""
        self._faults.close()
        self._trainings.stop()
        self._deliveries.stop()
        self._snapshots.stop()


def build(home: Home, root: Credentials, port: int, console_port: int) -> Gateway:
    """The application, with everything it needs."""
    database, journal = Database(home.database), Journal(home.journal)
    snapshots = SnapshotWriter(home.state, internals.snapshots, journal.commit, retention.trim)
    deliveries = Deliveries(database, webhooks.post, webhooks.DeadLetters(url(port), root))
    patches.apply(root, journal, snapshots.save, deliveries.take)
    objects = Objects(url(port), root)
    trainings = Trainings(database, home.models, url(port), root)
    faults = Faults(home.faults)
    backend = Backend(database, objects, home.models, trainings, Detector(home.models), faults)
    services: list[Service] = [
        Health(home),
        Rekognition(backend),
        A2I(database, faults),
        Workers(database, objects, internals.send_event),
    ]
    lifecycle = Lifecycle(
        lambda: s3.announce_again(home.objects, journal.committed_at()),
        snapshots,
        trainings,
        deliveries,
        faults,
    )
    durable = Acknowledgement(internals.application, journal, snapshots, Changes())
    console = ConsolePort(durable, console_port, internals.console_api)
    admission = Admission(port, console_port, internals.is_bucket)
    return Gateway(console, services, admission, MiniStackCaller, lifecycle)
