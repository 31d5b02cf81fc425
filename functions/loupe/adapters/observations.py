"""What versions of the model say in production."""

from loupe.adapters.items import from_item, to_item
from loupe.adapters.table import TableAdapter, save
from loupe.domain.events import Event
from loupe.domain.observation import Observation

KIND = "OBSERVED"


class Observations(TableAdapter):
    """One item for each version."""

    def of(self, version: str) -> Observation | None:
        """The observation of a version, or None before its first image."""
        item = self._table.get(f"OBSERVED#{version}", KIND)
        return None if item is None else from_item(Observation, item)

    def write(self, observation: Observation, *events: Event) -> None:
        """Write an observation, with what is noticed."""
        item = {"pk": f"OBSERVED#{observation.version}", "sk": KIND, **to_item(observation)}
        self._table.write([save(item)], events)
