"""What came of a review: answers, which make a labelled image, a quality score or a conflict; or a
human loop that ended without any, which is followed by another or by the operator."""

import posixpath
from dataclasses import replace
from datetime import datetime

from loupe.adapters.detections import moved
from loupe.adapters.items import Write
from loupe.adapters.reviews import score_version
from loupe.domain.detection import Detection, DetectionState
from loupe.domain.events import Event, make_event
from loupe.domain.human_loops import EndedLoop, LoopStatus, after_loop, ended_loop, review_of
from loupe.domain.keys import ImageRef, labelled_key, people, timestamp
from loupe.domain.object_events import changed_object
from loupe.domain.review import (
    NONE_OF_THE_ABOVE,
    SUGGEST_AFTER,
    Answer,
    Consensus,
    Output,
    Review,
    ReviewPurpose,
    ReviewState,
    check_output,
    consensus,
    group_in_conflict,
    not_offered,
    parse_output,
)
from loupe.errors import AlreadyDone, InvalidRequest, NotFound
from loupe.services.human_loops import start_loop
from loupe.telemetry import logger
from loupe.wiring import Deps

CONFIRMED = 2
"""An operator's word counts as that of so many reviewers: the image may be tested with."""
TAKEN = (ReviewState.OPEN, ReviewState.QUEUED, ReviewState.CLOSING)


def take_in(body: str, deps: Deps) -> None:
    """One message. An answer that cannot be used is told of, never lost: it stays in the bucket."""
    ended, found = ended_loop(body), changed_object(body)
    try:
        if ended is not None:
            follow(ended, deps)
        elif found is not None and posixpath.basename(found.key) == "output.json":
            record_answers(found, deps)
    except AlreadyDone:
        logger.info("this was taken in before", extra={"body": body})


def follow(ended: EndedLoop, deps: Deps) -> None:
    """Go on with a review whose human loop has ended."""
    try:
        review = deps.reviews.get(review_of(ended.name))
    except NotFound:
        logger.info("a loop of no review has ended", extra={"loop": ended.name})
        return
    if deps.loops is None:
        return  # Switched off, which stopped the loop; the housekeeping takes the review over.
    after = after_loop(review, ended)
    if after is not None:
        deps.reviews.move(after, review, events=[_failed(after, ended, deps)])
        start_loop(after, deps)


def record_answers(found: ImageRef, deps: Deps) -> None:
    """Read one `output.json` and act on it, once."""
    try:
        output = parse_output(deps.objects.read(found.key, found.version).decode())
        review = deps.reviews.get(review_of(output.loop))
        if review.state not in TAKEN:
            return
        check_output(review, output)
    except (InvalidRequest, NotFound, UnicodeDecodeError) as error:
        _refuse(found, str(error), deps)
        return
    _settle(replace(review, answers=output.answers), review, output, deps)


def _refuse(found: ImageRef, reason: str, deps: Deps) -> None:
    """Tell of answers that cannot be used, and ask again where nobody is asked any more."""
    loop = posixpath.basename(posixpath.dirname(found.key))
    review = _open_review(review_of(loop), deps)
    event = make_event(
        "ReviewUnusable",
        f"{found.key}@{found.version or found.etag}",
        deps.clock(),
        review=review.id if review else "unknown",
        key=found.key,
        reason=reason,
    )
    deps.events.write(event)
    if review is None:
        return
    if review.state == ReviewState.CLOSING:
        deps.reviews.move(replace(review, state=ReviewState.OPEN, answers=()), review)
    elif deps.loops and not deps.loops.is_open(loop):
        follow(EndedLoop(loop, LoopStatus.FAILED, reason), deps)


def _open_review(review_id: str, deps: Deps) -> Review | None:
    try:
        review = deps.reviews.get(review_id)
    except NotFound:
        return None
    return review if review.state in TAKEN else None


def _failed(review: Review, ended: EndedLoop, deps: Deps) -> Event:
    words = f"Decide it on the page Conflicts, or with 'loupe reviews decide {review.id} LABEL'."
    return make_event(
        "ReviewFailed",
        ended.name,
        deps.clock(),
        about=review.image.id,
        image=review.image.name,
        review=review.id,
        reason=ended.reason,
        next=words if review.state == ReviewState.CONFLICT else "People are asked again.",
    )


def _settle(review: Review, before: Review, output: Output, deps: Deps) -> None:
    agreed = consensus(output.answers)
    now = deps.clock()
    if agreed.label is None:
        conflict = _conflict(review, now)
        deps.reviews.move(replace(review, state=ReviewState.CONFLICT), before, events=[conflict])
        return
    done = replace(review, state=ReviewState.DONE)
    if review.purpose == ReviewPurpose.QUALITY:
        writes, events = score(review, agreed.label, deps)
        deps.reviews.move(done, before, *writes, events=events)
        return
    _answer(done, before, agreed, deps)


def decide_conflict(review_id: str, label: str, by: str, deps: Deps) -> None:
    """An operator ends a conflict; that counts as more than one reviewer's word."""
    before = deps.reviews.get(review_id)
    if before.state != ReviewState.CONFLICT:
        raise AlreadyDone(
            f"Review {before.id} is {before.state}, not a conflict; 'loupe reviews --state "
            "conflict' lists those."
        )
    if label != NONE_OF_THE_ABOVE and label not in before.labels:
        raise InvalidRequest(not_offered(label, before))
    review = replace(
        before,
        state=ReviewState.DONE,
        answers=(*before.answers, Answer(by, label, timestamp(deps.clock()))),
    )
    if review.purpose == ReviewPurpose.TWO_LABELS:
        choose_label(review, before, label, deps)
        return
    if review.purpose == ReviewPurpose.QUALITY:
        writes, events = score(review, label, deps)
        deps.reviews.move(review, before, *writes, events=events)
        return
    _answer(review, before, Consensus(label, CONFIRMED), deps)


def choose_label(review: Review, before: Review, label: str, deps: Deps) -> None:
    """Remove a picture from the folders of all labels but the chosen one.

    The conflict stays open until that is done. `register_image`, which hears of it, may be faster
    to close it.
    """
    decided = replace(review, state=ReviewState.CONFLICT)
    deps.reviews.move(decided, before)
    for member in deps.dataset.group(group_in_conflict(review)).members:
        if member.label != label:
            deps.objects.delete(member.key)
    try:
        deps.reviews.move(review, decided)
    except AlreadyDone:
        logger.info("the conflict has ended already", extra={"review": review.id})


def _answer(review: Review, before: Review, agreed: Consensus, deps: Deps) -> None:
    """The person's answer becomes the image's, and a labelled image unless it is none of them."""
    label = agreed.label or NONE_OF_THE_ABOVE
    now = deps.clock()
    trained = _keep_label(review, label, agreed.agreeing, deps)
    detection = _answered(review, label, trained, deps)
    events = [
        make_event(
            "ImageAnswered",
            review.id,
            now,
            about=review.image.id,
            image=review.image.name,
            key=review.image.key,
            answer=label,
            reviewers=agreed.agreeing,
            reason=trained,
        )
    ]
    more: list[Write] = [moved(detection, DetectionState.REVIEW)]
    if review.also_quality:
        writes, scored = score(review, label, deps)
        more += writes
        events += scored
    deps.reviews.move(review, before, *more, events=events)
    if label == NONE_OF_THE_ABOVE:
        _suggest_label(review, deps)


def _keep_label(review: Review, label: str, agreeing: int, deps: Deps) -> str:
    """Copy the image to its label's folder, where it is registered; returns words about it."""
    if label == NONE_OF_THE_ABOVE:
        return "It is not trained on."
    source = "cold-start" if review.purpose == ReviewPurpose.COLD_START else "reviewed"
    metadata = {
        "loupe-source": source,
        "loupe-reviewers": str(agreeing),
        "loupe-loop": review.id,
        "loupe-by": people(r.worker for r in review.answers if r.label == label),
    }
    try:
        deps.objects.copy(review.image, labelled_key(label, review.image), metadata)
    except NotFound:
        return "The image itself was deleted, so it cannot be trained on."
    return "It is trained on next time."


def _answered(review: Review, label: str, reason: str, deps: Deps) -> Detection:
    detection = deps.detections.get(review.image.id)
    if detection is None:
        raise LookupError(f"image {review.image.id} has no record; the dispatcher makes it first")
    return detection.answered(label, f"a person said: {label}. {reason}")


def score(review: Review, answer: str, deps: Deps) -> tuple[list[Write], list[Event]]:
    """Business rule: a sample counts for the version that answered, whichever serves now."""
    if not review.version:
        return [], []
    guess = review.guess[0].name if review.guess else NONE_OF_THE_ABOVE
    version = deps.versions.get(review.version)
    agrees = guess == answer
    event = make_event(
        "QualityScored",
        review.id,
        deps.clock(),
        about=review.image.id,
        image=review.image.name,
        version=review.version,
        guess=guess,
        answer=answer,
        agreed=version.samples_agreed + agrees,
        samples=version.samples + 1,
    )
    return [score_version(review.version, agrees)], [event]


def _conflict(review: Review, now: datetime) -> Event:
    return make_event(
        "ReviewConflict",
        review.id,
        now,
        about=review.image.id,
        image=review.image.name,
        review=review.id,
        answers=[answer.label for answer in review.answers],
    )


def _suggest_label(review: Review, deps: Deps) -> None:
    count = deps.reviews.count_none_of_the_above()
    if count % SUGGEST_AFTER == 0:
        now = deps.clock()
        event = make_event("LabelSuggested", str(count), now, count=count, image=review.image.name)
        deps.events.write(event)
