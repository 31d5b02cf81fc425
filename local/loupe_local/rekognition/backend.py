"""What the operations work with."""

from dataclasses import dataclass
from pathlib import Path

from loupe_local.database import Database
from loupe_local.objects import Objects
from loupe_local.rekognition.detector import Detector
from loupe_local.rekognition.faults import Faults
from loupe_local.rekognition.training import Trainings


@dataclass(frozen=True)
class Backend:
    """One for the whole service."""

    database: Database
    objects: Objects
    models: Path
    trainings: Trainings
    detector: Detector
    faults: Faults
