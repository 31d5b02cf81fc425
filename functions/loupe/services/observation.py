"""Follow what the model says in production, and notice when that changes."""

from dataclasses import replace
from datetime import datetime
from itertools import groupby, islice

from loupe.domain.detection import Detection
from loupe.domain.events import Event, make_event
from loupe.domain.keys import timestamp
from loupe.domain.observation import Observation, begin, is_due, observe, reading_of
from loupe.domain.settings import Settings
from loupe.errors import NotFound
from loupe.services.comparison import holdout_of
from loupe.wiring import Deps

OBSERVED = "OBSERVED"
IMAGES_PER_RUN = 500


def observe_readings(settings: Settings, deps: Deps) -> int:
    """Look at what was read since the last run, a part of it each time; returns how many."""
    pointer = deps.pointers.get(OBSERVED, {"pointer": ""})["pointer"]
    read_since = deps.detections.read_since(pointer, page=IMAGES_PER_RUN)
    read = list(islice(read_since, IMAGES_PER_RUN))
    for version, group in groupby(read, key=lambda each: each[1].version):
        _observe(version, [detection for _, detection in group], settings, deps)
    if read:
        deps.pointers.save(OBSERVED, {"pointer": read[-1][0]})
    return len(read)


def images_a_day(deps: Deps) -> float:
    """How many images the version in service reads a day, since it began."""
    observation = deps.observations.of(deps.versions.service().version)
    if observation is None:
        return 0.0
    days = (deps.clock() - datetime.fromisoformat(observation.since)).total_seconds() / 86400
    return observation.read / max(days, 1.0)


def _observe(version: str, detections: list[Detection], settings: Settings, deps: Deps) -> None:
    before = deps.observations.of(version) or _begin(version, deps)
    after = observe(before, [reading_of(detection) for detection in detections])
    if not is_due(after):
        deps.observations.write(after)
        return
    is_serving = version == deps.versions.service().version
    event = _drift_event(after, deps) if is_serving else None
    deps.observations.write(
        replace(after, unseen=0, drifts=event is not None),
        *([event] if event and not before.drifts else []),
    )
    if event and not before.drifts and settings.automatic_training:
        deps.executions.start(deps.value("IMPROVE_MACHINE"), {})


def _begin(version: str, deps: Deps) -> Observation:
    try:
        holdout = holdout_of(version, deps)
    except NotFound:  # A version of an earlier release, or of another stack.
        holdout = []
    return begin(version, timestamp(deps.clock()), holdout, deps.versions.predictions(version))


def _drift_event(observation: Observation, deps: Deps) -> Event | None:
    drift = observation.drift()
    if drift is None:
        return None
    since = observation.window[0].at
    return make_event(
        "DriftSuspected",
        f"{observation.version}/{since}",
        deps.clock(),
        version=observation.version,
        since=since,
        reference=drift.reference,
        distance=round(drift.statistic, 3),
        chance=f"{drift.p:.1g}",
        images=observation.least_sure(),
        labels=observation.labels(),
    )
