"""Trainings outlive the server; the throughput of a model can be limited."""

import time
from pathlib import Path

import pytest

from loupe_local.credentials import Credentials
from loupe_local.database import Database
from loupe_local.http.wire import ServiceError
from loupe_local.rekognition.detector import PER_UNIT, Detector
from loupe_local.rekognition.training import Trainings, write_job
from tests.local.stack_help import eventually, line

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A database with one version that was being trained, on one label only."""
    made = Database(tmp_path / "db.sqlite")
    only = line("s3://b/k", "one")
    write_job(tmp_path / "models" / "folder", only, only, {"split": False})
    made.run("INSERT INTO project VALUES ('p', 'p', 1, NULL)")
    made.run(
        "INSERT INTO version (arn, project, name, status, created, bucket, prefix, input, "
        "folder) VALUES ('v', 'p', 'v', 'TRAINING_IN_PROGRESS', 1, 'b', '', '{}', 'folder')"
    )
    return made


def status(database: Database) -> str:
    """The state of the version."""
    row = database.row("SELECT status FROM version")
    assert row is not None
    return str(row["status"])


def test_a_training_that_a_crash_ended_begins_again(database: Database, tmp_path: Path) -> None:
    """Given a version that was being trained, when the server starts, then it is trained."""
    trainings = Trainings(database, tmp_path / "models", NOWHERE, Credentials("LKIA", "secret"))
    trainings.start()
    eventually(lambda: status(database) == "TRAINING_FAILED", 60)
    trainings.stop()
    assert (tmp_path / "models" / "folder" / "result.json").exists()


def test_a_training_that_had_ended_is_not_repeated(database: Database, tmp_path: Path) -> None:
    """Given a result that the server did not live to read, when it starts, then it reads it."""
    (tmp_path / "models" / "folder" / "result.json").write_text('{"seconds": 7}')
    trainings = Trainings(database, tmp_path / "models", NOWHERE, Credentials("LKIA", "secret"))
    trainings.start()
    eventually(lambda: status(database) == "TRAINING_COMPLETED")
    trainings.stop()


def test_stopping_leaves_the_training_for_the_next_start(
    database: Database, tmp_path: Path
) -> None:
    """Given a training at work, when the server stops, then the version stays in training."""
    trainings = Trainings(database, tmp_path / "models", NOWHERE, Credentials("LKIA", "secret"))
    trainings.start()
    trainings.stop()
    assert status(database) == "TRAINING_IN_PROGRESS"


def test_more_than_the_units_allow_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given one inference unit, then five detections a second are served, and then the next."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    detector = Detector(tmp_path)
    for _ in range(PER_UNIT):
        detector.spend("v", 1)
    with pytest.raises(ServiceError) as refusal:
        detector.spend("v", 1)
    assert refusal.value.code == "ProvisionedThroughputExceededException"
    now[0] += 1
    detector.spend("v", 1)
