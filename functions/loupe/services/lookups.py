"""Settings and states that the parts of one housekeeping run share, each looked up once."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from loupe.adapters.rekognition import VersionState
from loupe.domain.settings import Settings
from loupe.domain.versions import Service
from loupe.services.training import is_training_run_active
from loupe.wiring import Deps

T = TypeVar("T")


class LookedUp(Generic[T]):
    """A property of `Lookups` that keeps its value, or the error of its only look-up: one part
    alone waits for a service that hangs.
    """

    def __init__(self, look_up: Callable[["Lookups"], T]) -> None:
        self._look_up = look_up

    def __get__(self, run: "Lookups", owner: type["Lookups"]) -> T:
        outcome: Future[T] = run.outcomes.setdefault(self, Future())
        if not outcome.done():
            try:
                outcome.set_result(self._look_up(run))
            except Exception as error:  # noqa: BLE001 - `result` raises it
                outcome.set_exception(error)
        return outcome.result()


@dataclass
class Lookups:
    """Settings and states as one housekeeping run sees them."""

    deps: Deps
    outcomes: dict[LookedUp[Any], Future[Any]] = field(default_factory=dict)

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
    def training_run_is_active(self) -> bool:
        return is_training_run_active(self.deps)
