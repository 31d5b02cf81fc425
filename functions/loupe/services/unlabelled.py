"""Images of which people said 'none of the above': kept, shown by likeness, made a label."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from loupe.adapters.detections import moved
from loupe.adapters.items import Write
from loupe.adapters.labels import without_label
from loupe.domain.detection import Detection, LabelledBy
from loupe.domain.fingerprint import fingerprint
from loupe.domain.images import UnreadableImage
from loupe.domain.keys import check_label, labelled_key, people, timestamp
from loupe.domain.labelled_images import CONFIRMED
from loupe.domain.labels import UnlabelledImage
from loupe.domain.likeness import MOST_GROUPED, Look, alike
from loupe.errors import NotFound, errors_by_id
from loupe.wiring import Deps


def keep(detection: Detection, deps: Deps) -> list[Write]:
    """Writes that keep an image for a label to come; none when the image itself was deleted."""
    try:
        picture = deps.objects.read(detection.image.key, detection.image.version)
    except NotFound:
        return []
    try:
        signature = b64encode(fingerprint(picture).signature).decode()
    except UnreadableImage:
        signature = ""
    scores = {
        label.name: label.confidence
        for label in detection.labels
        if label.by == LabelledBy.MODEL and label.confidence > 0
    }
    at = timestamp(deps.clock())
    kept = UnlabelledImage(detection.image, at, detection.review, scores, signature)
    return [without_label(kept)]


def groups(deps: Deps) -> list[list[UnlabelledImage]]:
    """The newest unlabelled images in groups that look alike, the largest group first."""
    newest = islice(deps.labels.unlabelled(page=MOST_GROUPED), MOST_GROUPED)
    images = {image.image.id: image for image in newest}
    looks = {
        identity: Look(b64decode(image.signature), image.scores)
        for identity, image in images.items()
    }
    return [[images[identity] for identity in group] for group in alike(looks)]


def with_those_alike(identities: Iterable[str], deps: Deps) -> Sequence[str]:
    """The ids, and those of all unlabelled images in their groups."""
    asked = set(identities)
    in_groups = [[image.image.id for image in group] for group in groups(deps)]
    alike_ids = [each for group in in_groups if asked & set(group) for each in group]
    return tuple(dict.fromkeys([*alike_ids, *sorted(asked)]))


def make_label(label: str, identities: Sequence[str], by: str, deps: Deps) -> Mapping[str, str]:
    """Give unlabelled images a label, which may be new; returns errors by id.

    A copy of each image goes to the label's folder, with the word of an operator, and is registered
    there. An order that was cut off can be given again.
    """
    check_label(label)

    def give(identity: str) -> None:
        kept = deps.labels.unlabelled_image(identity)
        if kept is None:
            raise NotFound("It is no image without a label (any more).")
        metadata = {
            "loupe-source": "reviewed",
            "loupe-reviewers": str(CONFIRMED),
            "loupe-loop": kept.review,
            "loupe-by": people([by]),
        }
        deps.objects.copy(kept.image, labelled_key(label, kept.image), metadata)
        detection = deps.detections.existing(identity)
        reason = f"{by} made it an image of {label}. It is trained on next time."
        deps.labels.take(kept, moved(detection.answered(label, reason), detection.state))

    return errors_by_id(identities, give)
