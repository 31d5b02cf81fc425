"""Act on the results of reviews: answers, which make a labelled image, a quality score or a
conflict; and human loops that ended without an answer."""

import posixpath
from dataclasses import replace

from loupe.adapters.detections import moved
from loupe.adapters.items import Write
from loupe.adapters.labels import with_label
from loupe.adapters.reviews import score_report, score_version
from loupe.domain.certainty import AskAgain, Conflict, Settled
from loupe.domain.detection import Detection, DetectionState, LabelledBy
from loupe.domain.events import image_event
from loupe.domain.human_loops import EndedLoop, LoopStatus, after_loop, ended_loop, review_of
from loupe.domain.keys import NONE_OF_THE_ABOVE, ImageRef, labelled_key, people, timestamp
from loupe.domain.labelled_images import CONFIRMED
from loupe.domain.object_events import changed_object
from loupe.domain.review import (
    SUGGEST_AFTER,
    Answer,
    Review,
    ReviewPurpose,
    ReviewState,
    check_offered,
    check_output,
    group_in_conflict,
    parse_output,
    review_event,
)
from loupe.errors import AlreadyDone, InvalidRequest, NotFound
from loupe.services.consensus import count_right, weigh
from loupe.services.effects import Effect
from loupe.services.events import announce
from loupe.services.gold_tasks import close_gold_task
from loupe.services.human_loops import start_loop
from loupe.services.unlabelled import keep
from loupe.telemetry import logger
from loupe.wiring import Deps

UNDECIDED = (ReviewState.OPEN, ReviewState.QUEUED, ReviewState.CLOSING)


def take_in(body: str, deps: Deps) -> None:
    """One message of the review queue. Unusable answers are announced and stay in the bucket."""
    ended, changed = ended_loop(body), changed_object(body)
    try:
        if ended is not None:
            follow(ended, deps)
        elif changed is not None and posixpath.basename(changed.key) == "output.json":
            record_answers(changed, deps)
    except AlreadyDone:
        logger.info("this was taken in before", extra={"body": body})


def follow(ended: EndedLoop, deps: Deps) -> None:
    """Go on with a review whose human loop has ended."""
    review = deps.reviews.find(review_of(ended.name))
    if review is None:
        logger.info("a loop of no review has ended", extra={"loop": ended.name})
        return
    after = after_loop(review, ended)
    if deps.loops is None or after is None:
        return  # After a change to HumanReview = builtin, the housekeeping takes the review over.
    is_conflict = after.state == ReviewState.CONFLICT
    decide = f"Decide it on the page Conflicts, or with 'loupe reviews decide {review.id} LABEL'."
    event = image_event(
        "ReviewFailed",
        ended.name,
        deps.clock(),
        review.image,
        review=review.id,
        reason=ended.reason,
        next=decide if is_conflict else "People are asked again.",
    )
    deps.reviews.move(after, review, events=[event])
    start_loop(after, deps)


def record_answers(document: ImageRef, deps: Deps) -> None:
    """Read one `output.json` and act on it, once."""
    try:
        output = parse_output(deps.objects.read(document.key, document.version).decode())
        review = deps.reviews.get(review_of(output.loop))
        if review.state not in UNDECIDED:
            return
        check_output(review, output)
    except (InvalidRequest, NotFound, UnicodeDecodeError) as error:
        _refuse(document, str(error), deps)
        return
    _weigh(replace(review, answers=output.answers), review, deps)


def _weigh(review: Review, before: Review, deps: Deps) -> None:
    """Close a review with the label that its answers make, or ask once more, or an operator."""
    if review.purpose == ReviewPurpose.GOLD:
        close_gold_task(review, before, deps)
        return
    match weigh(review, deps):
        case Settled(label):
            agreeing = sum(answer.label == label for answer in review.answers)
            _settle(review, before, label, agreeing, count_right(review, deps), deps)
        case AskAgain():
            again = replace(review, state=ReviewState.OPEN, loop="")
            deps.reviews.move(again, before)
            start_loop(again, deps)
        case Conflict():
            answers = [answer.label for answer in review.answers]
            event = review_event(
                "ReviewConflict", review, deps.clock(), review=review.id, answers=answers
            )
            conflict = replace(review, state=ReviewState.CONFLICT)
            deps.reviews.move(conflict, before, events=[event])


def _refuse(document: ImageRef, reason: str, deps: Deps) -> None:
    """Announce answers that cannot be used, and open the review again if nobody is asked now."""
    loop = posixpath.basename(posixpath.dirname(document.key))
    review = deps.reviews.find(review_of(loop))
    if review and review.state not in UNDECIDED:
        review = None
    announce(
        "ReviewUnusable",
        f"{document.key}@{document.version or document.etag}",
        deps,
        review=review.id if review else "unknown",
        key=document.key,
        reason=reason,
    )
    if review is None:
        return
    if review.state == ReviewState.CLOSING:
        deps.reviews.move(replace(review, state=ReviewState.OPEN, answers=()), review)
    elif deps.loops and not deps.loops.is_open(loop):
        follow(EndedLoop(loop, LoopStatus.FAILED, reason), deps)


def decide_conflict(review_id: str, label: str, by: str, deps: Deps) -> None:
    """Let an operator decide a conflict, which counts as more than one reviewer."""
    before = deps.reviews.get(review_id)
    if before.state != ReviewState.CONFLICT:
        raise AlreadyDone(
            f"Review {before.id} is {before.state}, not a conflict; 'loupe reviews --state "
            "conflict' lists those."
        )
    check_offered(label, before)
    answer = Answer(by, label, timestamp(deps.clock()))
    review = replace(before, answers=(*before.answers, answer))
    if review.purpose == ReviewPurpose.TWO_LABELS:
        choose_label(review, before, label, deps)
    else:
        _settle(review, before, label, CONFIRMED, count_right(before, deps, label), deps)


def choose_label(decided: Review, before: Review, label: str, deps: Deps) -> None:
    """Remove a picture from the folders of all labels but the chosen one.

    The conflict stays open until then. `register_image` may close it first, when the events of the
    removals arrive.
    """
    deps.reviews.move(decided, before)
    for member in deps.dataset.group(group_in_conflict(decided)).members:
        if member.label != label:
            deps.objects.delete(member.key)
    deps.reviews.try_move(replace(decided, state=ReviewState.DONE), decided)


def _settle(
    review: Review, before: Review, label: str, agreeing: int, counted: Effect, deps: Deps
) -> None:
    """Close a review with its label, on which `agreeing` people agree."""
    is_quality = review.purpose == ReviewPurpose.QUALITY
    effects = [counted]
    if not is_quality:
        effects.append(_answer(review, label, agreeing, deps))
    if is_quality or review.also_quality:
        effects.append(score(review, label, deps))
    if review.purpose == ReviewPurpose.REPORTED:
        effects.append(_count_report(review, label, deps))
    writes = [write for effect in effects for write in effect.writes]
    events = [event for effect in effects for event in effect.events]
    deps.reviews.move(replace(review, state=ReviewState.DONE), before, *writes, events=events)
    if label == NONE_OF_THE_ABOVE and not is_quality:
        _suggest_label(review, deps)


def _answer(review: Review, label: str, agreeing: int, deps: Deps) -> Effect:
    """Make the people's answer the image's; keep the image as a labelled image if a label fits."""
    detection = deps.detections.existing(review.image.id)
    kept = _correct(detection, label, deps)
    effect = _keep_label(review, label, agreeing, deps)
    answered = detection.answered(label, f"a person said: {label}. {effect}")
    event = review_event(
        "ImageAnswered",
        review,
        deps.clock(),
        key=review.image.key,
        answer=label,
        reviewers=agreeing,
        reason=effect,
    )
    return Effect([moved(answered, DetectionState.REVIEW), *kept], [event])


def _correct(detection: Detection, label: str, deps: Deps) -> list[Write]:
    """Undo what people's earlier answer did, which `label` corrects; writes that keep the image
    for a label to come, or no longer.
    """
    for earlier in detection.labels[:1]:
        if earlier.by == LabelledBy.PERSON and earlier.name not in (label, NONE_OF_THE_ABOVE):
            deps.objects.delete(labelled_key(earlier.name, detection.image))
    if label == NONE_OF_THE_ABOVE:
        return keep(detection, deps)
    was_kept = detection.none_of_the_above and deps.labels.unlabelled_image(detection.image.id)
    return [with_label(detection.image.id)] if was_kept else []


def _keep_label(review: Review, label: str, agreeing: int, deps: Deps) -> str:
    """Copy the image to the folder of its label, where it is registered; says so in words."""
    if label == NONE_OF_THE_ABOVE:
        return "It is not trained on."
    source = "cold-start" if review.purpose == ReviewPurpose.COLD_START else "reviewed"
    metadata = {
        "loupe-source": source,
        "loupe-reviewers": str(agreeing),
        "loupe-loop": review.id,
        "loupe-by": people(answer.worker for answer in review.answers if answer.label == label),
    }
    try:
        deps.objects.copy(review.image, labelled_key(label, review.image), metadata)
    except NotFound:
        return "The image itself was deleted, so it cannot be trained on."
    return "It is trained on next time."


def score(review: Review, answer: str, deps: Deps) -> Effect:
    """Business rule: a sample counts for the version that read the image, whichever serves now."""
    if not review.version:
        return Effect()
    guess = review.top_guess
    version = deps.versions.get(review.version)
    agrees = guess == answer
    event = review_event(
        "QualityScored",
        review,
        deps.clock(),
        version=review.version,
        guess=guess,
        answer=answer,
        agreed=version.samples_agreed + agrees,
        samples=version.samples + 1,
    )
    return Effect([score_version(review.version, agrees)], [event])


def _count_report(review: Review, answer: str, deps: Deps) -> Effect:
    """Business rule: a report counts for the version that read the image, whichever serves now."""
    if not review.version:
        return Effect()
    version = deps.versions.get(review.version)
    is_confirmed = answer != review.top_guess
    event = review_event(
        "ReportAnswered",
        review,
        deps.clock(),
        version=review.version,
        guess=review.top_guess,
        answer=answer,
        confirmed=version.reports_confirmed + is_confirmed,
        reports=version.reports + 1,
    )
    return Effect([score_report(review.version, is_confirmed)], [event])


def _suggest_label(review: Review, deps: Deps) -> None:
    count = deps.reviews.count_none_of_the_above()
    if count % SUGGEST_AFTER == 0:
        announce("LabelSuggested", str(count), deps, count=count, image=review.image.name)
