"""Labelled images that people are to look at again."""

from collections.abc import Iterator
from contextlib import suppress

from loupe.adapters.items import Write, from_item, readable, to_item
from loupe.adapters.table import TableAdapter, delete, listed, save
from loupe.domain.labelled_images import hashed_key
from loupe.domain.suspects import ListedSuspect, SuspectState
from loupe.errors import AlreadyDone, NotFound

KIND = "SUSPECT"
IS_OPEN = "list_state = :open"
OPEN = {"open": f"{KIND}#{SuspectState.OPEN}"}


class Suspects(TableAdapter):
    """One item for each suspect, open or confirmed."""

    def get(self, identity: str) -> ListedSuspect:
        """The suspect that is the labelled image with this id; raises NotFound."""
        item = self._table.get(f"SUSPECT#{identity}", KIND)
        if item is None:
            raise NotFound("It is no suspect (any more); 'loupe suspects' lists them.")
        return from_item(ListedSuspect, item)

    def all(self, state: str) -> Iterator[ListedSuspect]:
        """The suspects in a state."""
        items = self._table.listing(KIND, state)
        return readable(lambda item: from_item(ListedSuspect, item), items)

    def write(self, suspect: ListedSuspect) -> None:
        """List a suspect again, unless its label is confirmed."""
        with suppress(AlreadyDone):
            condition = f"attribute_not_exists(pk) OR {IS_OPEN}"
            self._table.write([save(_item(suspect), condition, OPEN)])

    def drop(self, suspect: ListedSuspect) -> None:
        """List a suspect no longer, unless its label was confirmed meanwhile."""
        with suppress(AlreadyDone):
            self._table.write([delete(f"SUSPECT#{suspect.id}", KIND, IS_OPEN, OPEN)])

    def confirm(self, suspect: ListedSuspect) -> None:
        """Write that people have decided the label of an image."""
        self._table.write([save(_item(suspect))])


def no_suspect(key: str) -> Write:
    """A write that forgets what was said of a labelled object, which is gone."""
    return delete(f"SUSPECT#{hashed_key(key)}", KIND)


def _item(suspect: ListedSuspect) -> Write:
    item = {"pk": f"SUSPECT#{suspect.id}", "sk": KIND, **to_item(suspect)}
    return item | listed(KIND, suspect.at, suspect.id, suspect.state)
