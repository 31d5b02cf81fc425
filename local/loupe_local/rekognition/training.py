"""Runs trainings, each in a process of its own, one after the other.

What a training needs lies in the version's folder, so that it can start again after a crash.
"""

import json
import logging
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

from loupe_local.credentials import Credentials
from loupe_local.database import Database
from loupe_local.environment import code_environment
from loupe_local.http.wire import Json

logger = logging.getLogger("loupe.training")

JOB, TRAIN, TEST = "job.json", "train.manifest", "test.manifest"
RESULT, MODEL = "result.json", "model.npz"
NICENESS = 5
IN_PROGRESS = "TRAINING_IN_PROGRESS"


def write_job(folder: Path, train: str, test: str, job: Json) -> None:
    """Lays out the folder of a version."""
    folder.mkdir(parents=True)
    (folder / TRAIN).write_text(train)
    (folder / TEST).write_text(test)
    (folder / JOB).write_text(json.dumps(job))


class Trainings:
    """The versions in TRAINING_IN_PROGRESS."""

    def __init__(self, database: Database, models: Path, endpoint: str, root: Credentials) -> None:
        self._database = database
        self._models = models
        self._endpoint = endpoint
        self._environment = code_environment() | root.environment
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loupe-trainings", daemon=True)

    def start(self) -> None:
        """Begins again what the last run of the server left unfinished.

        A model of an older release is a file that could run code: it is not read but made again
        of the same images, and so becomes the same.
        """
        query = (
            "SELECT arn, folder, status FROM version "
            "WHERE status NOT IN ('TRAINING_FAILED', 'DELETING') ORDER BY created"
        )
        for row in self._database.rows(query):
            if row["status"] == IN_PROGRESS or not self._has_model(row["folder"]):
                self.begin(row["arn"])
        self._thread.start()

    def begin(self, version: str) -> None:
        """Trains a version as soon as none before it is left."""
        self._waiting.put(version)

    def stop(self) -> None:
        """Ends the training that runs; its version stays in TRAINING_IN_PROGRESS."""
        self._ending.set()
        self._waiting.put(None)
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while (version := self._waiting.get()) is not None and not self._ending.is_set():
            row = self._database.row("SELECT folder, status FROM version WHERE arn = ?", version)
            if row is not None and row["status"] == IN_PROGRESS:
                self._train(version, self._models / row["folder"])
            elif row is not None:
                self._remake(version, row["folder"])

    def _has_model(self, folder: str) -> bool:
        return (self._models / folder / MODEL).exists()

    def _remake(self, version: str, folder: str) -> None:
        """Makes the model of a version anew; what is known of the version stays."""
        logger.info("the model of %s is of an older release: it is trained again", version)
        self._work(self._models / folder)
        if not self._has_model(folder) and not self._ending.is_set():
            logger.error("%s has no model: its images are gone; train a new version", version)

    def _train(self, version: str, folder: Path) -> None:
        if not (folder / RESULT).exists():
            self._work(folder)
        if self._ending.is_set():
            return
        try:
            result: Json = json.loads((folder / RESULT).read_text())
        except (OSError, ValueError):
            logger.error("the training of %s ended without a result", version)
            result = {"failure": "An internal error ended the training; see stack.log."}
        failure = result.get("failure")
        status = "TRAINING_FAILED" if failure else "TRAINING_COMPLETED"
        with self._database.change():
            self._database.run(
                "UPDATE version SET status = ?, message = ?, trained = ?, result = ? WHERE arn = ?",
                status,
                failure or "The model is ready to run.",
                time.time(),
                json.dumps(result),
                version,
            )

    def _work(self, folder: Path) -> None:
        command = [
            "nice",
            "-n",
            str(NICENESS),
            sys.executable,
            "-m",
            "loupe_local.rekognition.train_job",
            str(folder),
            self._endpoint,
        ]
        self._process = subprocess.Popen(command, env=self._environment)
        if self._ending.is_set():
            self._process.kill()
        self._process.wait()
