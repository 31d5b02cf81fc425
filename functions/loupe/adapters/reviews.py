"""Review tasks."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from loupe.adapters import table
from loupe.adapters.items import from_item, readable, to_item
from loupe.domain.events import Event
from loupe.domain.labelled_images import Change
from loupe.domain.review import Review, ReviewState, label_conflict, label_conflict_id
from loupe.errors import AlreadyDone, NotFound
from loupe.telemetry import logger

KIND = "REVIEW"
PASSING = (ReviewState.QUEUED, ReviewState.OPEN, ReviewState.CLOSING, ReviewState.CONFLICT)
"""States that a review does not stay in."""
ALL_DAYS = "ALL"
GOLD_TASK = "GOLD"
"""Keeps how many answers a reviewer had given at the last gold task."""
TO_OPEN = "REVIEW to open"
NO_LOOP = "REVIEW without loop"
IN_LOOP = "REVIEW in loop"
ANY_NUMBER = sys.maxsize


class Reviews(table.TableAdapter):
    """One item for each review; answers 'none of the above' are counted beside them."""

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
        """Write a finished review of another stack."""
        before, item = self.find(review.id), _item(review)
        self._table.write(
            [
                table.changed_record(item, f"{KIND}#{before.state}")
                if before
                else table.new_record(item)
            ]
        )

    def put_new(self, review: Review, *more: table.Item, events: Sequence[Event] = ()) -> None:
        """Write a new review with `more` writes; raises AlreadyDone when it exists."""
        self._table.write([table.new_record(_item(review)), *more], events)

    def move(
        self, review: Review, before: Review, *more: table.Item, events: Sequence[Event] = ()
    ) -> None:
        """Write `review` if it is still stored as `before`, else raise AlreadyDone."""
        self._table.write([moved(review, before), *more], events)

    def try_move(
        self, review: Review, before: Review, *more: table.Item, events: Sequence[Event] = ()
    ) -> bool:
        """Like `move`, but returns False when somebody else has changed the review meanwhile."""
        try:
            self.move(review, before, *more, events=events)
        except AlreadyDone:
            logger.info(
                "somebody changes this review at the same time", extra={"review": review.id}
            )
            return False
        return True

    def counts(self) -> Counter[str]:
        """How many reviews are in each state."""
        return self._table.state_counts(KIND, PASSING)

    def newest(self, state: str = "", before: str = "", page: int = 0) -> Iterator[Review]:
        """Reviews, newest first, of one state or of all; the range is that of `Table.listing`."""
        return readable(review_of, self._table.listing(KIND, state, before=before, page=page))

    def oldest(self, state: ReviewState, after: str, page: int) -> Iterator[Review]:
        """Reviews of a state behind a sort key, oldest first, `page` read at a time."""
        items = self._table.listing(KIND, state, newest_first=False, after=after, page=page)
        return readable(review_of, items)

    def unanswered(self) -> Iterator[Review]:
        """Open and queued reviews, newest first within each state."""
        yield from self.newest(ReviewState.OPEN)
        yield from self.newest(ReviewState.QUEUED)

    def by_rank(self, state: ReviewState, page: int) -> Iterator[Review]:
        """Queued reviews, or open ones without a human loop of Amazon A2I, by their rank."""
        return self._awaiting(TO_OPEN if state == ReviewState.QUEUED else NO_LOOP, page)

    def with_loop(self, page: int, after: str = "") -> Iterator[Review]:
        """Open reviews with a human loop, oldest first, behind a sort key."""
        return self._awaiting(IN_LOOP, page, after)

    def _awaiting(self, work: str, page: int, after: str = "") -> Iterator[Review]:
        items = self._table.listing(
            work, index="answered", newest_first=False, after=after, page=page
        )
        return readable(review_of, items)

    def count_open(self, limit: int) -> int:
        """How many reviews are open, counted up to `limit`."""
        return self._table.count(KIND, ReviewState.OPEN, limit)

    def answers_of(self, worker: str, day: str) -> tuple[int, int]:
        """How many reviews `worker` has answered on `day` and in all."""
        answers = {item["sk"]: item["answers"] for item in self._table.children(_worker(worker))}
        return answers.get(day, 0), answers.get(ALL_DAYS, 0)

    def gold_progress(self, worker: str) -> tuple[int, int]:
        """How many reviews `worker` has answered in all, and at the last gold task."""
        answers = {item["sk"]: item["answers"] for item in self._table.children(_worker(worker))}
        return answers.get(ALL_DAYS, 0), answers.get(GOLD_TASK, 0)

    def daily_reviews_left(self, day: str, cap: int) -> int:
        """How many reviews may still be opened on `day`; ANY_NUMBER without a cap (0)."""
        if not cap:
            return ANY_NUMBER
        item = self._table.get("STATE", f"REVIEWS#{day}") or {"opened": 0}
        return max(0, cap - int(item["opened"]))

    def count_none_of_the_above(self) -> int:
        """Count one more such answer and return the total."""
        item = self._table.update("STATE", "NONE", "ADD answers :one", {"one": 1})
        return int(item["answers"])


def moved(review: Review, before: Review) -> table.Item:
    """A write of the review, on the condition that it is still stored as `before`."""
    condition, values = table.unchanged({"claims": before.claims, "asked": before.loops_started})
    return table.changed_record(
        _item(review),
        f"{KIND}#{before.state}",
        f"{condition} AND size(replies) = :replies_before",
        values | {"replies_before": len(before.answers)},
    )


def conflicting(change: Change, bucket: str, at: str, reviews: Reviews) -> list[table.Item]:
    """Writes that open, update or close the conflict about a picture's label after `change`."""
    if not change.after.in_conflict and not (change.before and change.before.in_conflict):
        return []
    before = reviews.find(label_conflict_id(change.after.id))
    if change.after.in_conflict:
        review = label_conflict(change.after, bucket, at)
        return [moved(review, before) if before else table.new_record(_item(review))]
    if before is None or before.state != ReviewState.CONFLICT:
        return []
    return [moved(replace(before, state=ReviewState.DONE), before)]


def count_opened(day: str, cap: int) -> list[table.Item]:
    """Writes that count a review opened on `day`, on the condition that its cap is not reached.

    Without a cap (0) nothing is counted, so that reviews do not compete for the one count.
    """
    if not cap:
        return []
    condition = "attribute_not_exists(opened) OR opened < :cap"
    values = {"one": 1, "cap": cap}
    return [table.update("STATE", f"REVIEWS#{day}", "ADD opened :one", values, condition)]


def count_answer(worker: str, day: str) -> list[table.Item]:
    """Writes that count one answer of `worker`."""
    return [
        table.update(_worker(worker), when, "ADD answers :one", {"one": 1})
        for when in (day, ALL_DAYS)
    ]


def count_gold_task(worker: str, answers: int) -> table.Item:
    """A write of a gold task after so many answers, on the condition that it is the only one."""
    condition, value = "attribute_not_exists(answers) OR answers < :now", {"now": answers}
    return table.update(_worker(worker), GOLD_TASK, "SET answers = :now", value, condition)


def _worker(name: str) -> str:
    return f"REVIEWER#{name}"


def score_version(version: str, agrees: bool) -> table.Item:
    """A write that counts one quality sample for the version that answered."""
    values = {"one": 1, "agreed": int(agrees)}
    expression = "ADD samples :one, samples_agreed :agreed"
    return table.update(f"VERSION#{version}", "VERSION", expression, values)


def score_report(version: str, is_confirmed: bool) -> table.Item:
    """A write that counts one reported answer, which people looked at, for the version."""
    values = {"one": 1, "confirmed": int(is_confirmed)}
    expression = "ADD reports :one, reports_confirmed :confirmed"
    return table.update(f"VERSION#{version}", "VERSION", expression, values)


def count_settled(version: str) -> table.Item:
    """A write that counts one queued review of an image that the version is sure of."""
    return table.update(f"VERSION#{version}", "VERSION", "ADD settled :one", {"one": 1})


def _item(review: Review) -> table.Item:
    item = {"pk": f"REVIEW#{review.id}", "sk": KIND, **to_item(review)}
    return item | table.listed(KIND, review.at, review.id, review.state) | awaited(review)


def awaited(review: Review) -> table.Item:
    """The attributes that list a review by the work that it awaits from the housekeeping."""
    match review.state:
        case ReviewState.QUEUED:
            return {"answered": TO_OPEN, "answered_at": ranked(review)}
        case ReviewState.OPEN if review.loop:
            return {"answered": IN_LOOP, "answered_at": review.sort_key}
        case ReviewState.OPEN:
            return {"answered": NO_LOOP, "answered_at": ranked(review)}
    return {}


def ranked(review: Review) -> str:
    """Sorts reviews by their rank, and those of the same rank by time."""
    return f"{review.rank:08.4f}#{review.sort_key}"


def review_of(item: Mapping[str, Any], source: str = "") -> Review:
    """The review that an item, or an exported record, holds; raises UnreadableRecord."""
    return from_item(Review, item, source)
