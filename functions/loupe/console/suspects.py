"""Labelled images to look at again, on the page Dataset: confirmed or corrected by an operator."""

from dataclasses import dataclass
from typing import TypedDict

from loupe.console.access import Role, current_user
from loupe.console.answers import All, Message
from loupe.console.requests import Api
from loupe.console.schema import Id, Label
from loupe.domain.suspects import ListedSuspect
from loupe.services import suspects as service
from loupe.wiring import deps

router = Api()


@dataclass(frozen=True)
class Correction:
    """The right label, which may be new."""

    label: Label


class SuspectView(TypedDict):
    """A labelled image that `version`, which was not trained on it, takes for `instead`.

    `lead` is by how much, 0-100.
    """

    id: str
    image: str
    picture: str
    label: str
    instead: str
    lead: float
    version: str


class Corrected(TypedDict):
    """The versions that were trained on the wrong label, the newest first."""

    versions: list[str]


@router.offer("GET", "/dataset/suspects", Role.OPERATOR)
def suspects() -> All[SuspectView]:
    """The labels that are probably wrong, the most doubtful first."""
    return {"items": [_shown(suspect) for suspect in service.open_suspects(deps())]}


@router.offer("POST", "/dataset/suspects/<identity>/confirm", Role.OPERATOR)
def confirm(identity: Id) -> Message:
    """Say that a label is right."""
    suspect = service.confirm(identity, current_user(router).name, deps())
    return {"message": f"Confirmed: {suspect.label}."}


@router.offer("POST", "/dataset/suspects/<identity>/correct", Role.OPERATOR)
def correct(identity: Id, body: Correction) -> Corrected:
    """Give the picture another label."""
    by = current_user(router).name
    return {"versions": service.correct(identity, body.label, by, deps())}


def _shown(suspect: ListedSuspect) -> SuspectView:
    return {
        "id": suspect.id,
        "image": suspect.name,
        "picture": deps().presigned_urls.get(suspect.key),
        "label": suspect.label,
        "instead": suspect.instead,
        "lead": suspect.lead,
        "version": suspect.version,
    }
