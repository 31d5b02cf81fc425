"""Review tasks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from loupe.adapters.detections import label
from loupe.adapters.table import Item, Table, listed, put, update
from loupe.domain.dataset import Change
from loupe.domain.events import Event
from loupe.domain.places import ImageRef
from loupe.domain.review import (
    CONFLICT,
    DONE,
    OPEN,
    QUEUED,
    Reply,
    Review,
    label_conflict,
    label_conflict_id,
)
from loupe.errors import AlreadyDone, NotFound

KIND = "REVIEW"
ALL_DAYS = "ALL"


class Reviews:
    """One item a review; answered none-of-the-above ones are counted beside."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, review_id: str) -> Review | None:
        """The review, or None."""
        item = self._table.get(f"REVIEW#{review_id}", KIND)
        return None if item is None else review_of(item)

    def get(self, review_id: str) -> Review:
        """The review; raises NotFound."""
        review = self.find(review_id)
        if review is None:
            raise NotFound(
                f"There is no review {review_id!r}; 'loupe reviews' lists the open ones."
            )
        return review

    def restore(self, review: Review) -> None:
        """Write a review of another stack, which is over."""
        self._table.write([put(_item(review))])

    def put_new(self, review: Review, *more: Item, events: Sequence[Event] = ()) -> None:
        """Write a new review with `more` writes; raises AlreadyDone when it exists."""
        self._table.write([put(_item(review), "attribute_not_exists(pk)"), *more], events)

    def move(
        self, review: Review, before: Review, *more: Item, events: Sequence[Event] = ()
    ) -> None:
        """Write `review` if it is stored as `before` still, else raise AlreadyDone."""
        self._table.write([moved(review, before), *more], events)

    def newest(self, state: str = "", before: str = "", page: int = 0) -> Iterator[Review]:
        """Reviews, newest first, of one state or of all; the range is that of `Table.listing`."""
        index, value = ("states", f"{KIND}#{state}") if state else ("listing", KIND)
        found = self._table.listing(index, value, before=before, page=page)
        yield from map(review_of, found)

    def unanswered(self) -> Iterator[Review]:
        """Open and queued reviews, newest first within each."""
        yield from self.newest(OPEN)
        yield from self.newest(QUEUED)

    def oldest_open(self, page: int) -> Iterator[Review]:
        """Open reviews, oldest first, `page` read at a time."""
        found = self._table.listing("states", f"{KIND}#{OPEN}", newest_first=False, page=page)
        yield from map(review_of, found)

    def answers_of(self, worker: str, day: str) -> tuple[int, int]:
        """How many reviews `worker` has answered on `day` and in all."""
        found = {item["sk"]: item["answers"] for item in self._table.children(_worker(worker))}
        return found.get(day, 0), found.get(ALL_DAYS, 0)

    def take_place(self, day: str, cap: int) -> bool:
        """Count one review opened on `day`; False when the day's cap (0: none) is reached."""
        one, condition = {"one": 1}, ""
        if cap:
            one, condition = one | {"cap": cap}, "attribute_not_exists(opened) OR opened < :cap"
        try:
            self._table.update("STATE", f"REVIEWS#{day}", "ADD opened :one", one, condition)
        except AlreadyDone:
            return False
        return True

    def count_none_of_the_above(self) -> int:
        """Count one more such answer and return the total."""
        item = self._table.update("STATE", "NONE", "ADD answers :one", {"one": 1})
        return int(item["answers"])


def moved(review: Review, before: Review) -> Item:
    """A write of the review, on the condition that it is stored as `before` still."""
    condition = (
        "list_state = :state AND size(replies) = :replies AND claims = :claims AND asked = :asked"
    )
    values = {
        ":state": f"{KIND}#{before.state}",
        ":replies": len(before.replies),
        ":claims": before.claims,
        ":asked": before.asked,
    }
    return put(_item(review), condition, values)


def conflicting(change: Change, bucket: str, at: str, reviews: Reviews) -> list[Item]:
    """Writes that keep the conflict about a picture's label true after `change`."""
    if change.after.in_conflict:
        return [put(_item(label_conflict(change.after, bucket, at)))]
    if not change.before or not change.before.in_conflict:
        return []
    review = reviews.find(label_conflict_id(change.after.id))
    if review is None or review.state != CONFLICT:
        return []
    return [moved(replace(review, state=DONE), review)]


def count_answer(worker: str, day: str) -> list[Item]:
    """Writes that count one answer of `worker`."""
    return [
        update(_worker(worker), when, "ADD answers :one", {"one": 1}) for when in (day, ALL_DAYS)
    ]


def _worker(name: str) -> str:
    return f"REVIEWER#{name}"


def score_version(version: str, agrees: bool) -> Item:
    """A write that counts one quality sample for the version that answered."""
    return update(
        f"VERSION#{version}",
        "VERSION",
        "ADD samples :one, samples_agreed :agreed",
        {"one": 1, "agreed": int(agrees)},
    )


def _item(review: Review) -> Item:
    return asdict(review) | {
        "pk": f"REVIEW#{review.id}",
        "sk": KIND,
        **listed(KIND, review.at, review.id, review.state),
    }


def review_of(item: Mapping[str, Any]) -> Review:
    """The review that an item, or an exported record, stands for."""
    own = set(Review.__dataclass_fields__)
    return Review(
        **{name: value for name, value in item.items() if name in own}
        | {
            "image": ImageRef(**item["image"]),
            "labels": tuple(item["labels"]),
            "guess": tuple(label(found) for found in item["guess"]),
            "replies": tuple(Reply(**reply) for reply in item["replies"]),
            "skipped": tuple(item["skipped"]),
        }
    )
