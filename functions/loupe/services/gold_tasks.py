"""Mix gold tasks into the work of reviewers, and count who was right."""

from dataclasses import replace
from itertools import islice

from loupe.adapters.reviews import count_gold_task
from loupe.domain.gold_tasks import by_use, gold_task, is_due, known_label
from loupe.domain.labelled_images import LabelledImageStatus
from loupe.domain.review import Review, ReviewState, claim
from loupe.domain.settings import Settings
from loupe.errors import AlreadyDone
from loupe.services.consensus import count_right
from loupe.services.reviews import known_labels
from loupe.wiring import Deps

POOL = 200
"""Labelled images among which the most useful one is chosen."""
TRIED = 5


def claim_gold_task(worker: str, settings: Settings, deps: Deps) -> Review | None:
    """A new gold task, reserved for `worker`, if one is due and the label of an image is known."""
    answers, last = deps.reviews.gold_progress(worker)
    if not is_due(answers, last, settings.gold_task_interval):
        return None
    registered = deps.dataset.labelled_images(LabelledImageStatus.REGISTERED, page=POOL)
    counts = deps.reliabilities.of([worker])[worker]
    labels = known_labels(settings, deps)
    for image in islice(by_use(islice(registered, POOL), worker, counts), TRIED):
        task = gold_task(image, deps.value("BUCKET"), worker, labels, deps.clock())
        claimed = claim(task, worker, deps.clock())
        if claimed is None or deps.reviews.find(task.id):
            continue  # This worker has answered it.
        try:
            deps.reviews.put_new(claimed, count_gold_task(worker, answers))
        except AlreadyDone:
            return None  # Another call of the same worker got it.
        return claimed
    return None


def close_gold_task(review: Review, before: Review, deps: Deps) -> None:
    """Count whether the answer was right, unless the image has lost its label meanwhile."""
    image = deps.dataset.labelled_image(review.image.key)
    is_known = image is not None and image.status == LabelledImageStatus.REGISTERED
    if not is_known:
        deps.reviews.move(replace(review, state=ReviewState.WITHDRAWN), before)
        return
    counted = count_right(review, deps, known_label(review))
    done = replace(review, state=ReviewState.DONE)
    deps.reviews.move(done, before, *counted.writes, events=counted.events)
