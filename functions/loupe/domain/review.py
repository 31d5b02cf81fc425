"""Reviews: tasks for people, their answers in Amazon A2I's format, and the consensus."""

import json
import posixpath
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from loupe.domain.certainty import Case
from loupe.domain.choice import Candidate, Strategy, margin, order
from loupe.domain.detection import Detection, Label, LabelledBy, ModelOutput, why_unsure
from loupe.domain.events import Event, image_event
from loupe.domain.keys import NONE_OF_THE_ABOVE, ImageRef, sort_key, timestamp
from loupe.domain.labelled_images import Group, remark
from loupe.domain.settings import Settings
from loupe.domain.stored_names import stored_as
from loupe.errors import AlreadyDone, InvalidRequest


class ReviewPurpose(StrEnum):
    """Why people review an image."""

    UNSURE = "unsure"
    COLD_START = "cold start"
    QUALITY = "quality"
    TWO_LABELS = "two labels"
    REPORTED = "reported"
    GOLD = "gold"


QUALITY_REASON = "a sample to measure quality"
CHOSEN_BY_USE = (ReviewPurpose.COLD_START, ReviewPurpose.UNSURE)
MEASURES_THE_MODEL = (ReviewPurpose.QUALITY, ReviewPurpose.REPORTED)


class ReviewState(StrEnum):
    """The states of a review. `closing`: it has all answers, which are not recorded yet;
    `settled`: a newer version is sure of the image.
    """

    OPEN = "open"
    QUEUED = "queued"
    CLOSING = "closing"
    DONE = "done"
    CONFLICT = "conflict"
    WITHDRAWN = "withdrawn"
    SETTLED = "settled"


SHOWN_WITHOUT_GUESS = {
    ReviewPurpose.UNSURE: "the model was unsure",
    ReviewPurpose.REPORTED: "somebody reports that its answer is wrong",
}
"""Reasons without the model's guess, or what another person proposes."""

REPORTED_RANK, SAMPLE_RANK, CHOSEN_RANK, OTHER_RANK = 0.0, 1.0, 2.0, 3.0

CLAIM_MINUTES = 10
"""Minutes a claimed task is reserved for one reviewer."""

FIRST_HAND_OVER = timedelta(minutes=5)
NEXT_HAND_OVER = timedelta(hours=1)
"""Time without a result after which answers are handed over again, at first and later."""

SUGGEST_AFTER = 10
"""Answers 'none of the above' that suggest that a label is missing."""


@dataclass(frozen=True)
class Answer:
    """One person's answer: a label, or NONE_OF_THE_ABOVE."""

    worker: str
    label: str
    at: str


@dataclass(frozen=True)
class Review:
    """A task for people. `id` is derived from the image and the purpose, and names the loop.

    At most `reviewers` people answer; nobody else is asked once a label is as sure as
    `minimum_certainty`, 0-1. `claims` maps a reviewer to the end of the reservation; `skipped` are
    those who declined. With Amazon A2I, `loop` is the name of the open human loop ("" if none).
    `handed_over` is when its answers were last handed over again for want of a result. `thumbnail`
    is the image's, as in `ModelOutput`. `chosen`: people are asked about it next.
    """

    id: str
    image: ImageRef
    purpose: ReviewPurpose
    state: ReviewState
    at: str
    labels: tuple[str, ...]
    reviewers: int = field(metadata=stored_as("wanted"))
    guess: tuple[Label, ...] = ()
    guess_shown: bool = False
    version: str = ""
    reason: str = ""
    answers: tuple[Answer, ...] = field(default=(), metadata=stored_as("replies"))
    also_quality: bool = False
    claims: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    loop: str = ""
    loops_started: int = field(default=0, metadata=stored_as("asked"))
    handed_over: str = ""
    minimum_certainty: float = 1.0
    thumbnail: str = ""
    chosen: bool = False

    @property
    def sort_key(self) -> str:
        """Its sort key in listings by time."""
        return sort_key(self.at, self.id)

    @property
    def rank(self) -> float:
        """Business rule: a review with a smaller rank is more urgent. Reports come first, then
        quality samples. An image that may teach the model comes the earlier, the nearer its two
        best labels are; those that are chosen come before the others.
        """
        if self.purpose in CHOSEN_BY_USE:
            lead = margin(scores_of(self.guess)) / 100
            return (CHOSEN_RANK if self.chosen else OTHER_RANK) + lead
        return REPORTED_RANK if self.purpose == ReviewPurpose.REPORTED else SAMPLE_RANK

    @property
    def is_candidate(self) -> bool:
        """Whether people may be asked about it for its use, and it is not chosen yet."""
        return self.purpose in CHOSEN_BY_USE and not self.chosen

    @property
    def shows_guess(self) -> bool:
        """Business rule: nobody sees the model's guess for an answer that measures the model."""
        measures = self.also_quality or self.purpose in MEASURES_THE_MODEL
        return self.guess_shown and not measures

    @property
    def shown_name(self) -> str:
        """The image's name, without its label in a gold task."""
        if self.purpose == ReviewPurpose.GOLD:
            return posixpath.basename(self.image.key)
        return self.image.name

    @property
    def guess_was_seen(self) -> bool:
        """Whether somebody may have seen the guess already."""
        opened = self.answers or self.claims or self.skipped or self.loop
        return self.shows_guess and bool(self.guess) and bool(opened)

    @property
    def shown_reason(self) -> str:
        """Why people review the image, without the model's guess unless they may see it."""
        if self.shows_guess:
            return self.reason
        return SHOWN_WITHOUT_GUESS.get(self.purpose, self.reason)

    @property
    def top_guess(self) -> str:
        """The model's answer; without labels it is that none fits."""
        return self.guess[0].name if self.guess else NONE_OF_THE_ABOVE

    @property
    def shown_guess(self) -> tuple[Label, ...]:
        """The model's guess, as far as people may see it."""
        return self.guess if self.shows_guess else ()

    @property
    def offered(self) -> tuple[str, ...]:
        """What people can answer."""
        return (*self.labels, NONE_OF_THE_ABOVE)

    def offers(self, label: str) -> bool:
        """Whether people can answer `label`."""
        return label in self.offered

    def as_json(self) -> dict[str, Any]:
        """As `loupe reviews --json` shows it: the model's guess only where people may see it."""
        return {
            "id": self.id,
            "image": self.shown_name,
            "purpose": self.purpose,
            "state": self.state,
            "at": self.at,
            "labels": list(self.labels),
            "wanted": self.reviewers,
            "answers": [vars(answer) for answer in self.answers],
            "guess": [label.as_json() for label in self.shown_guess],
            "reason": self.shown_reason,
        }


def review_id(image: ImageRef, purpose: ReviewPurpose) -> str:
    """The name of the human loop: `^[a-z0-9](-*[a-z0-9])*$`, at most 63 characters."""
    return f"{purpose.replace(' ', '-')}-{image.id}"


def review_event(kind: str, review: Review, at: datetime, /, **detail: Any) -> Event:
    """An event that a review causes once."""
    return image_event(kind, review.id, at, review.image, **detail)


def new_review(
    detection: Detection,
    output: ModelOutput,
    labels: tuple[str, ...],
    settings: Settings,
    now: datetime,
) -> Review:
    """The review of an image that the model is unsure of, or has not read because there is none.

    Business rule: with a daily maximum it is queued, so that the most useful ones can be chosen.
    """
    if output.outcome == "labels":
        purpose, reason = ReviewPurpose.UNSURE, why_unsure(output, settings.minimum_confidence)
    else:
        purpose, reason = ReviewPurpose.COLD_START, output.reason
    return Review(
        id=review_id(detection.image, purpose),
        image=detection.image,
        purpose=purpose,
        state=ReviewState.QUEUED if settings.reviews_per_day else ReviewState.OPEN,
        at=timestamp(now),
        labels=labels,
        reviewers=settings.reviewers,
        minimum_certainty=settings.minimum_certainty,
        guess=output.labels,
        guess_shown=settings.show_guess,
        version=output.version,
        reason=reason,
        thumbnail=output.thumbnail,
    )


def read_anew(review: Review, output: ModelOutput, minimum_confidence: float) -> Review:
    """A queued review after a newer version has read its image: settled, or with the newer guess.

    Business rule: a confidence that would have been accepted at once settles it.
    """
    if output.top >= minimum_confidence:
        return replace(review, state=ReviewState.SETTLED, reason=f"settled by {output.version}")
    reason = why_unsure(output, minimum_confidence)
    return replace(review, guess=output.labels, version=output.version, reason=reason)


def waits_for_newer_version(review: Review, version: str) -> bool:
    """Whether `version` should read the image of a queued review.

    Business rule: not if a person has answered or the answer will measure the version that read it.
    """
    is_unsure = review.purpose == ReviewPurpose.UNSURE and review.version != version
    return is_unsure and not review.answers and not review.also_quality


def quality_review(
    detection: Detection, labels: tuple[str, ...], settings: Settings, now: datetime
) -> Review:
    """The review of an image that is a sample of the model's quality."""
    return Review(
        id=review_id(detection.image, ReviewPurpose.QUALITY),
        image=detection.image,
        purpose=ReviewPurpose.QUALITY,
        state=ReviewState.OPEN,
        at=timestamp(now),
        labels=labels,
        reviewers=settings.reviewers,
        minimum_certainty=settings.minimum_certainty,
        guess=tuple(label for label in detection.labels if label.by == LabelledBy.MODEL),
        version=detection.version,
        reason=QUALITY_REASON,
    )


def label_conflict(group: Group, bucket: str, at: str) -> Review:
    """The conflict of a picture with several labels, for an operator to decide."""
    newest = group.members[-1]
    return Review(
        id=label_conflict_id(group.id),
        image=ImageRef(bucket, newest.key, newest.version, "", 0),
        purpose=ReviewPurpose.TWO_LABELS,
        state=ReviewState.CONFLICT,
        at=at,
        labels=group.labels,
        reviewers=0,
        reason=remark(group, newest.key),
    )


def label_conflict_id(group_id: str) -> str:
    """The id of the conflict about a group's label."""
    return f"{ReviewPurpose.TWO_LABELS.replace(' ', '-')}-{group_id}"


def group_in_conflict(review: Review) -> str:
    """The id of the group that a review of `label_conflict` is about."""
    return review.id.removeprefix(label_conflict_id(""))


def claim(review: Review, worker: str, now: datetime) -> Review | None:
    """The review reserved for `worker` for a time, or None when it is not available.

    Business rule: one person at a time works on a task, because their answer may be enough, and a
    task with an open human loop is not available here.
    """
    answered = {answer.worker for answer in review.answers}
    if (
        review.state != ReviewState.OPEN
        or review.loop
        or worker in answered
        or worker in review.skipped
    ):
        return None
    if any(until > timestamp(now) and who != worker for who, until in review.claims.items()):
        return None
    until = timestamp(now + timedelta(minutes=CLAIM_MINUTES))
    return replace(review, claims={worker: until})


def release(review: Review, worker: str, skip: bool) -> Review:
    """The review without the claim of `worker`, who with `skip` does not get it again."""
    claims = {who: until for who, until in review.claims.items() if who != worker}
    skipped = sorted({*review.skipped, worker}) if skip else review.skipped
    return replace(review, claims=claims, skipped=tuple(skipped))


def is_due_again(review: Review, answered_at: datetime, now: datetime) -> bool:
    """Whether answers of `answered_at` without a result are due to be handed over again."""
    if review.handed_over:
        return now - datetime.fromisoformat(review.handed_over) >= NEXT_HAND_OVER
    return now - answered_at >= FIRST_HAND_OVER


def case_of(review: Review) -> Case:
    """What people and the model say of the image.

    Business rule: the model's opinion counts only where people neither saw it nor measure it.
    """
    answers = {answer.worker: answer.label for answer in review.answers}
    measures = review.also_quality or review.purpose in MEASURES_THE_MODEL
    if measures or review.shows_guess or not review.guess:
        return Case(answers)
    return Case(answers, f"model {review.version}", scores_of(review.guess))


def in_order(reviews: Sequence[Review], strategy: Strategy, batch: int) -> list[Review]:
    """The reviews, the first one to ask about first: reports, then others by `strategy`.

    `batch` is how many are chosen together.
    """
    if strategy == Strategy.ARRIVAL:
        return sorted(reviews, key=lambda review: (review.rank > REPORTED_RANK, review.sort_key))
    ranked = sorted(reviews, key=lambda review: (review.rank, review.sort_key))
    if strategy == Strategy.MARGIN:
        return ranked
    by_id = {review.id: review for review in ranked if review.is_candidate}
    candidates = [_candidate(review) for review in by_id.values()]
    others = [review for review in ranked if not review.is_candidate]
    return others + [by_id[name] for name in order(candidates, strategy, batch)]


def _candidate(review: Review) -> Candidate:
    thumbnail = b64decode(review.thumbnail)
    return Candidate(review.id, review.sort_key, scores_of(review.guess), thumbnail=thumbnail)


def scores_of(labels: Sequence[Label]) -> dict[str, float]:
    """The highest confidence in each label, 0-100: an object may occur several times."""
    surest_last = sorted(labels, key=lambda label: label.confidence)
    return {label.name: label.confidence for label in surest_last}


def check_answer(review: Review, worker: str, label: str) -> None:
    """Raise unless `worker` may answer `review` with `label`: AlreadyDone when it is too late,
    InvalidRequest for an invalid answer.
    """
    if review.state not in (ReviewState.OPEN, ReviewState.QUEUED):
        raise AlreadyDone(
            f"Review {review.id} is {review.state}; 'loupe reviews' lists the open ones."
        )
    check_offered(label, review)
    if not worker.strip():
        raise InvalidRequest("A reviewer needs a name: --reviewer NAME.")
    if any(answer.worker == worker for answer in review.answers):
        raise AlreadyDone(f"{worker} answered review {review.id} already; another person can.")


def add_answer(review: Review, answer: Answer) -> Review:
    """The review with one more answer; raises like `check_answer`."""
    check_answer(review, answer.worker, answer.label)
    answers = (*review.answers, answer)
    state = ReviewState.CLOSING if len(answers) >= review.reviewers else review.state
    return replace(release(review, answer.worker, skip=False), answers=answers, state=state)


def repeats_answer(review: Review, worker: str, label: str) -> bool:
    """Whether `worker` sends the same last answer again, as after a lost response."""
    return review.state == ReviewState.CLOSING and any(
        (answer.worker, answer.label) == (worker, label) for answer in review.answers
    )


def check_offered(label: str, review: Review) -> None:
    """Raise InvalidRequest unless `label` is one of the review's labels, or none of them."""
    if not review.offers(label):
        raise InvalidRequest(
            f"{label!r} is not one of the labels of this review: {', '.join(review.labels)}, or "
            f"{NONE_OF_THE_ABOVE!r}."
        )


def render_output(review: Review, flow: str) -> str:
    """`output.json` as Amazon A2I writes it."""
    document = {
        "flowDefinitionArn": flow,
        "humanAnswers": [_human_answer(answer, flow) for answer in review.answers],
        "humanLoopName": review.id,
        "inputContent": loop_input(review),
    }
    return json.dumps(document, ensure_ascii=False, indent=1)


def _human_answer(answer: Answer, flow: str) -> dict[str, Any]:
    identity = {"identityProviderType": "Loupe", "issuer": flow, "sub": answer.worker}
    return {
        "acceptanceTime": answer.at,
        "submissionTime": answer.at,
        "timeSpentInSeconds": 0,
        "workerId": answer.worker,
        "workerMetadata": {"identityData": identity},
        "answerContent": {"label": {"label": answer.label}},
    }


def loop_input(review: Review) -> dict[str, Any]:
    """The input of the task page."""
    return {
        "taskObject": review.image.uri,
        "labels": list(review.offered),
        "initialValue": review.shown_guess[0].name if review.shown_guess else "",
        "imageName": review.shown_name,
    }


@dataclass(frozen=True)
class Output:
    """The content of an `output.json`: the loop and its answers."""

    loop: str
    answers: tuple[Answer, ...]


def parse_output(text: str) -> Output:
    """Read an `output.json`; raises InvalidRequest with the reason when that fails."""
    try:
        document = json.loads(text)
        loop = document["humanLoopName"]
        answers = tuple(_answer(answer) for answer in document["humanAnswers"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InvalidRequest(f"it is not an answer of Amazon A2I ({error!r})") from error
    if not isinstance(loop, str):
        raise InvalidRequest("its humanLoopName is not a text")
    if not answers:
        raise InvalidRequest("it holds no answers")
    return Output(loop, answers)


def _answer(answer: Mapping[str, Any]) -> Answer:
    """The label is the value of the page's one widget, as a text or as its `label`."""
    (value,) = answer["answerContent"].values()
    label = value["label"] if isinstance(value, dict) else value
    if not isinstance(label, str):
        raise TypeError(f"label {label!r} is not a text")
    return Answer(worker=str(answer["workerId"]), label=label, at=str(answer["submissionTime"]))


def check_output(review: Review, output: Output) -> None:
    """Raise InvalidRequest when an answer is outside the labels that were offered."""
    for answer in output.answers:
        if not review.offers(answer.label):
            raise InvalidRequest(f"{answer.label!r} was not offered as a label")
