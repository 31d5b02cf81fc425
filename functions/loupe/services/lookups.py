"""What the parts of one run of the housekeeping look at, looked up once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from loupe.adapters.rekognition import VersionState
from loupe.domain.settings import Settings
from loupe.domain.versions import Service
from loupe.wiring import Deps

T = TypeVar("T")


class LookedUp(Generic[T]):
    """A property of `Lookups`, looked up once. That holds for a look-up that fails, too: a service
    that hangs is waited for by one part only.
    """

    def __init__(self, look_up: Callable[["Lookups"], T]) -> None:
        self._look_up = look_up

    def __set_name__(self, owner: type["Lookups"], name: str) -> None:
        self._name = name

    def __get__(self, now: "Lookups", owner: type["Lookups"]) -> T:
        if self._name in now.failed:
            raise now.failed[self._name]
        if self._name not in now.known:
            try:
                now.known[self._name] = self._look_up(now)
            except Exception as error:
                now.failed[self._name] = error
                raise
        value: T = now.known[self._name]
        return value


@dataclass
class Lookups:
    """Settings and states as one run of the housekeeping sees them; kept by property."""

    deps: Deps
    known: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)

    @LookedUp
    def settings(self) -> Settings:
        return self.deps.parameters.settings()

    @LookedUp
    def service(self) -> Service:
        return self.deps.versions.service()

    @LookedUp
    def states(self) -> dict[str, VersionState]:
        """What the service says of every version."""
        return dict(self.deps.rekognition.versions())

    @LookedUp
    def state(self) -> VersionState:
        """What the service says of the version in service."""
        return self.states.get(self.service.version, VersionState(""))

    @LookedUp
    def improving(self) -> bool:
        """Whether a training run is at work, or waits for approval."""
        holder = self.deps.versions.lease_holder()
        return bool(holder) and self.deps.executions.is_running(holder)
