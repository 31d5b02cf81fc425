"""Change settings, and make schedules and concurrency follow them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from loupe.adapters.parameters import Stored
from loupe.adapters.setting_changes import SettingChange
from loupe.domain.keys import timestamp
from loupe.domain.schedules import (
    Schedule,
    detection_concurrency,
    sampling_schedule,
    training_schedule,
)
from loupe.domain.settings import CATALOGUE, Setting, Settings, not_allowed, setting
from loupe.services.events import announce
from loupe.wiring import Deps

TIGHTENING = timedelta(seconds=60)
"""The timeout of the function."""


@dataclass(frozen=True)
class SettingView:
    """A parameter, what it may be, and who changed it last and when."""

    name: str
    value: str
    default: str
    allowed: str
    pattern: str
    meaning: str
    changed_by: str
    changed_at: str | None


def apply_settings(deps: Deps) -> list[str]:
    """Apply the settings to schedules, concurrency and patterns; returns what changed."""
    tighten_patterns(deps)
    values = deps.parameters.values()
    settings = Settings.from_parameters(values)
    announce_not_allowed(values, deps)
    changed = [
        f"{work} {'on' if schedule.enabled else 'off'}, {schedule.rate}"
        for name, schedule, work in _schedules(settings, deps)
        if deps.schedules.apply(name, schedule)
    ]
    concurrency = detection_concurrency(settings)
    if deps.event_source.apply_concurrency(concurrency):
        changed.append(f"up to {concurrency} images are read at a time")
    if changed:
        announce("SettingsApplied", timestamp(deps.clock()), deps, reason="; ".join(changed))
    return changed


def tighten_patterns(deps: Deps) -> None:
    """Give parameters of an earlier release the current patterns.

    No value changes, so the record of who changed each last is kept. Each write starts another run
    of this function, which leaves the rest to this one.
    """
    loose = deps.parameters.loose()
    if not loose or not deps.turns.take("patterns", deps.clock(), TIGHTENING):
        return
    for name in loose:
        before, version = deps.parameters.tighten(name)
        deps.setting_changes.note(name, deps.setting_changes.last(name, before), version)


def announce_not_allowed(values: Mapping[str, str], deps: Deps) -> None:
    """Send the operator one event a day about each value that its default replaces."""
    for sentence in not_allowed(values):
        cause = f"{deps.clock():%Y-%m-%d}/{sentence}"
        announce("SettingsApplied", cause, deps, reason=sentence)


def _schedules(settings: Settings, deps: Deps) -> list[tuple[str, Schedule, str]]:
    """(name, schedule, what it does) of both schedules."""
    return [
        (deps.value("TRAINING_SCHEDULE"), training_schedule(settings), "training checks"),
        (deps.value("SAMPLING_SCHEDULE"), sampling_schedule(settings), "quality sampling"),
    ]


def stored_settings(deps: Deps) -> list[SettingView]:
    """Every setting with its current value."""
    stored = deps.parameters.stored()
    return [_view(setting, stored.get(setting.name), deps) for setting in CATALOGUE]


def change_setting(name: str, value: str, by: str, deps: Deps) -> SettingView:
    """Set a parameter and note who did; it takes effect by itself.

    Raises NotFound for a name that is no setting's, InvalidSetting for a value it does not take.
    """
    changed = setting(name)
    version = deps.parameters.set(changed.name, changed.check(value))
    deps.setting_changes.note(changed.name, SettingChange(by, timestamp(deps.clock())), version)
    return _view(changed, deps.parameters.stored().get(changed.name), deps)


def _view(setting: Setting, stored: Stored | None, deps: Deps) -> SettingView:
    value = stored.value if stored else setting.default
    change = deps.setting_changes.last(setting.name, stored) if stored else SettingChange()
    what_it_is = (setting.default, setting.allowed, setting.pattern, setting.meaning)
    return SettingView(setting.name, value, *what_it_is, change.by, change.at or None)
