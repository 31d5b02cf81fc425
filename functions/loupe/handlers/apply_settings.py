"""Make schedules and concurrency follow the settings; wake what a new setting lets go on."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from loupe.domain.events import event
from loupe.domain.places import stamp
from loupe.domain.schedules import (
    Schedule,
    detection_concurrency,
    sampling_schedule,
    training_schedule,
)
from loupe.settings import Settings, not_allowed
from loupe.wiring import Deps, deps

TIGHTENING = timedelta(seconds=60)
"""As long as the function may run."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A parameter change, a finished deployment or a schedule -> `{"changed": [...]}`."""
    return {"changed": apply(deps())}


def apply(deps: Deps) -> list[str]:
    """Bring everything outside the template to what the settings say; returns what changed."""
    tighten_patterns(deps)
    values = deps.parameters.values()
    settings = Settings.from_parameters(values)
    announce_not_allowed(values, deps)
    changed = [
        words
        for name, wanted, words in _schedules(settings, deps)
        if deps.schedules.apply(name, wanted)
    ]
    concurrency = detection_concurrency(settings)
    if deps.event_source.apply_concurrency(concurrency):
        changed.append(f"up to {concurrency} images are read at a time")
    if changed:
        now = deps.clock()
        told = event("SettingsApplied", stamp(now), now, reason="; ".join(changed))
        deps.table.write([], [told])
    return changed


def tighten_patterns(deps: Deps) -> None:
    """Give parameters of an earlier release the patterns that hold now; that changes no value, so
    who changed each last stays known. Each write starts another run of this function, which leaves
    the rest to the one that is at it.
    """
    loose = deps.parameters.loose()
    if not loose or not deps.turns.take("patterns", deps.clock(), TIGHTENING):
        return
    for name in loose:
        before, version = deps.parameters.tighten(name)
        deps.setting_changes.note(name, deps.setting_changes.last(name, before), version)


def announce_not_allowed(values: Mapping[str, str], deps: Deps) -> None:
    """The operator hears once a day of a value that counts with its default."""
    now = deps.clock()
    for sentence in not_allowed(values):
        cause = f"{now:%Y-%m-%d}/{sentence}"
        deps.table.write([], [event("SettingsApplied", cause, now, reason=sentence)])


def _schedules(settings: Settings, deps: Deps) -> list[tuple[str, Schedule, str]]:
    training, sampling = training_schedule(settings), sampling_schedule(settings)
    return [
        (deps.value("TRAINING_SCHEDULE"), training, _words("training checks", training)),
        (deps.value("SAMPLING_SCHEDULE"), sampling, _words("quality sampling", sampling)),
    ]


def _words(what: str, schedule: Schedule) -> str:
    return f"{what} {'on' if schedule.enabled else 'off'}, {schedule.rate}"
