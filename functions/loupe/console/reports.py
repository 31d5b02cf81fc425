"""Reports of wrong answers from other applications, which sign their requests."""

from dataclasses import dataclass
from typing import Annotated, TypedDict

from loupe.console.access import current_application
from loupe.console.requests import Api
from loupe.console.schema import Label, Text
from loupe.domain.reports import LONGEST_NAME, Report
from loupe.services.reports import report_answer
from loupe.wiring import deps

LONGEST_KEY = 1024

router = Api()


@dataclass(frozen=True)
class WrongAnswer:
    """The image by its id or name, what label it may have, and which person of theirs says so."""

    image: Annotated[str, Text(LONGEST_KEY)]
    label: Label = ""
    by: Annotated[str, Text(LONGEST_NAME)] = ""


class Reported(TypedDict):
    """The review in which people look at the image."""

    review: str


@router.offer("POST", "/reports")
def report(body: WrongAnswer) -> Reported:
    """Send an image whose answer is wrong to people."""
    application = current_application(router)
    return {
        "review": report_answer(Report(body.image, body.by or application, body.label), deps()).id
    }
