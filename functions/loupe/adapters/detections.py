"""Records of uploaded images."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from loupe.adapters.items import from_item, readable, to_item
from loupe.adapters.table import Item, TableAdapter, changed_record, listed, new_record, unchanged
from loupe.domain.detection import (
    READ_BY_MODEL,
    Detection,
    DetectionState,
    LabelledBy,
    person_label,
)
from loupe.domain.events import Event
from loupe.domain.keys import NONE_OF_THE_ABOVE, ImageRef

KIND = "DETECTION"
PASSING = (DetectionState.WAITING, DetectionState.REVIEW)
"""States that an image does not stay in."""
READ = "DETECTED"


class Detections(TableAdapter):
    """One item for each image version."""

    def get(self, image_id: str) -> Detection | None:
        """The record of an image, or None."""
        item = self._table.get(f"IMAGE#{image_id}", KIND)
        return None if item is None else detection_of(item)

    def existing(self, image_id: str) -> Detection:
        """The record of an image that was dispatched, so that it has one."""
        detection = self.get(image_id)
        if detection is None:
            raise LookupError(f"image {image_id} has no record; the dispatcher makes it first")
        return detection

    def receive(self, image: ImageRef, at: str) -> Detection:
        """Record that an image has arrived; raises AlreadyDone when it has a record."""
        detection = Detection(image=image, state=DetectionState.WAITING, at=at)
        self._table.write([new_record(_item(detection))])
        return detection

    def restore(self, detection: Detection) -> None:
        """Write a record of another stack. It is listed but never sampled: it has no image."""
        item = _item(detection)
        for name in ("answered", "answered_at"):
            item.pop(name, None)
        before = self.get(detection.image.id)
        self._table.write(
            [changed_record(item, f"{KIND}#{before.state}") if before else new_record(item)]
        )

    def move(
        self, detection: Detection, from_state: DetectionState, events: Sequence[Event] = ()
    ) -> None:
        """Write the record if it is still in `from_state`, else raise AlreadyDone."""
        self._table.write([moved(detection, from_state)], events)

    def wait(self, detection: Detection, before: Detection, events: Sequence[Event]) -> None:
        """Write why an image waits now, if it still waits as `before`, else raise AlreadyDone."""
        condition = unchanged({"reason": before.reason})
        write = changed_record(_item(detection), f"{KIND}#{DetectionState.WAITING}", *condition)
        self._table.write([write], events)

    def counts(self) -> Counter[str]:
        """How many images are in each state."""
        return self._table.state_counts(KIND, PASSING)

    def newest(
        self, state: str = "", after: str = "", before: str = "", page: int = 0
    ) -> Iterator[Detection]:
        """Records, newest first, of one state or of all; the range is that of `Table.listing`."""
        items = self._table.listing(KIND, state, after=after, before=before, page=page)
        return readable(detection_of, items)

    def waiting(self, page: int = 0) -> Iterator[Detection]:
        """Images that wait, the oldest first, `page` read at a time."""
        items = self._table.listing(KIND, DetectionState.WAITING, newest_first=False, page=page)
        return readable(detection_of, items)

    def read_since(self, pointer: str, page: int = 0) -> Iterator[tuple[str, Detection]]:
        """Images that a model read after `pointer`, oldest first, each with its own pointer."""
        items = self._table.listing(
            READ, index="answered", newest_first=False, after=pointer, page=page
        )
        return readable(lambda item: (item["answered_at"], detection_of(item)), items)

    def last_read_at(self) -> str:
        """When a model last read an image, or ""."""
        newest = next(self._table.listing(READ, index="answered", page=1), None)
        return newest["detected_at"] if newest else ""


def moved(detection: Detection, from_state: DetectionState) -> Item:
    """A write of the record, on the condition that it is in `from_state`."""
    return changed_record(_item(detection), f"{KIND}#{from_state}")


def _item(detection: Detection) -> Item:
    item = {"pk": f"IMAGE#{detection.image.id}", "sk": KIND, **to_item(detection)}
    item |= listed(KIND, detection.at, detection.image.id, detection.state)
    if detection.version and (detection.state in READ_BY_MODEL or detection.detected_at):
        item |= {"answered": READ, "answered_at": f"{detection.detected_at}#{detection.image.id}"}
    return item


def detection_of(item: Mapping[str, Any], source: str = "") -> Detection:
    """The detection that an item, or an exported record, holds; raises UnreadableRecord."""
    detection = from_item(Detection, item, source)
    by_person = any(label.by == LabelledBy.PERSON for label in detection.labels)
    if item.get("none_of_the_above") and not by_person:
        # How 0.1.0 stored that answer; the attribute stays beside what is written since.
        no_label_fits = person_label(NONE_OF_THE_ABOVE)
        return replace(detection, labels=(no_label_fits, *detection.labels))
    return detection
