"""The sample events of events/, and how one becomes what a function of a running stack can do.

What they name is made in the embedded stack beside what is yours: a bucket, a table, a Rekognition
project and what else a function acts on, all of their own. So a function that gets a sample event
finds an image, a review and two versions, always in the same state, and whatever it does changes
nothing of the stack's own data.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from loupe_cli.target import ROOT

EVENTS = ROOT / "events"


def is_sample(event: Path) -> bool:
    """Whether a file is one of the sample events, as they stand in events/."""
    return event.resolve().parent == EVENTS


@cache
def sample(name: str) -> dict[str, Any]:
    """The sample event events/<name>.json."""
    return dict(json.loads((EVENTS / f"{name}.json").read_text()))


def stored_object(name: str) -> dict[str, Any]:
    """The S3 object that the first message of a queue's sample event is about."""
    return dict(json.loads(sample(name)["Records"][0]["body"])["detail"]["object"])


def fill(text: str, names: Mapping[str, str]) -> dict[str, Any]:
    """The event of a file with some of its names replaced; whatever else was edited in it stays."""
    for old, new in names.items():
        text = text.replace(old, new)
    return dict(json.loads(text))


BUCKET: str = sample("detect_labels")["image"]["bucket"]
