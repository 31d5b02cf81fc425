"""What reviewers see of labels, and images that no label fits."""

from collections.abc import Iterator, Mapping

from loupe.adapters.items import Write, from_item, readable, to_item
from loupe.adapters.table import TableAdapter, delete, listed, save
from loupe.domain.labels import LabelNote, UnlabelledImage

NOTE = "LABEL"
UNLABELLED = "NONE"
IS_THERE = "attribute_exists(pk)"


class Labels(TableAdapter):
    """One note for each label that is described, one item for each image that no label fits."""

    def note(self, label: str) -> LabelNote:
        """What is noted of a label; an empty note when nothing is."""
        item = self._table.get(f"LABEL#{label}", NOTE)
        return from_item(LabelNote, item) if item else LabelNote(label)

    def notes(self) -> Mapping[str, LabelNote]:
        """All notes by label."""
        items = self._table.listing(NOTE)
        return {note.label: note for note in readable(lambda i: from_item(LabelNote, i), items)}

    def write(self, note: LabelNote) -> None:
        """Write the note of a label."""
        item = {"pk": f"LABEL#{note.label}", "sk": NOTE, **to_item(note)}
        self._table.write([save(item | listed(NOTE, note.at, note.label))])

    def forget(self, label: str) -> None:
        """Delete the note of a label; raises AlreadyDone when it has none."""
        self._table.write([delete(f"LABEL#{label}", NOTE, IS_THERE, {})])

    def unlabelled(self, page: int) -> Iterator[UnlabelledImage]:
        """Images that no label fits, the newest first, `page` read at a time."""
        items = self._table.listing(UNLABELLED, page=page)
        return readable(lambda item: from_item(UnlabelledImage, item), items)

    def unlabelled_image(self, identity: str) -> UnlabelledImage | None:
        """The image with this id, unless it has a label by now."""
        item = self._table.get(f"NONE#{identity}", UNLABELLED)
        return None if item is None else from_item(UnlabelledImage, item)

    def take(self, image: UnlabelledImage, detection: Write) -> None:
        """Write that an image has a label now; raises AlreadyDone when it had one before."""
        self._table.write([with_label(image.image.id), detection])


def with_label(identity: str) -> Write:
    """A write that an image has a label now, on the condition that it had none."""
    return delete(f"NONE#{identity}", UNLABELLED, IS_THERE, {})


def without_label(image: UnlabelledImage) -> Write:
    """A write that keeps an image for a label to come."""
    item = {"pk": f"NONE#{image.image.id}", "sk": UNLABELLED, **to_item(image)}
    return save(item | listed(UNLABELLED, image.at, image.image.id))
