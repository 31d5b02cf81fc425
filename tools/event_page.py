"""Writes the list in docs/events.md from the schemas: `python -m tools.event_page`."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from loupe_cli.target import ROOT

PAGE = ROOT / "docs" / "events.md"
SCHEMAS = ROOT / "docs" / "event-schemas"
MARK = "<!-- From here on made from docs/event-schemas/ by 'python -m tools.event_page'. -->\n"
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Images": (
        "ImageAccepted",
        "ImageWaiting",
        "ImageSentToReview",
        "ImageAnswered",
        "ImageUnsure",
        "ImageRejected",
        "ImageFailed",
        "ImageReported",
    ),
    "Labelled images": (
        "ExampleAdded",
        "ExampleRemoved",
        "ExampleRejected",
        "LabelConflict",
        "LabelsNeeded",
        "LabelSuggested",
    ),
    "Reviews": (
        "ReviewUnusable",
        "ReviewFailed",
        "ReviewConflict",
        "ReviewsSettled",
        "QualityScored",
        "ReportAnswered",
        "ReportUnusable",
        "ReviewerUnreliable",
        "DriftSuspected",
    ),
    "Versions of the model": (
        "TrainingStarted",
        "TrainingPostponed",
        "TrainingFailed",
        "VersionNotPromoted",
        "ApprovalRequested",
        "VersionPromoted",
        "PromotionsStalled",
    ),
    "Model state and settings": (
        "ModelStarted",
        "ModelStopped",
        "ModelCannotStart",
        "SettingsApplied",
    ),
}
WIDTH = 100


def schema(kind: str) -> dict[str, Any]:
    """The JSON schema of an event type."""
    document: dict[str, Any] = json.loads((SCHEMAS / f"{kind}.json").read_text())
    return document


def page(text: str) -> str:
    """The page with its list made anew; what stands before the mark is kept."""
    before = text.partition(MARK)[0]
    return before + MARK + "\n" + "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    for title, kinds in SECTIONS.items():
        yield from (f"## {title}", "")
        for kind in kinds:
            yield from _event(kind)


def _event(kind: str) -> Iterator[str]:
    document = schema(kind)
    (example,) = document["examples"]
    fields = document["properties"]["detail"]["properties"]
    yield from (f"### `{kind}`", "", *_wrapped(document["description"]), "")
    yield from (f"> **{example['subject']}**", ">")
    yield from _wrapped(example["text"], "> ")
    yield ""
    if fields:
        yield from ("| `detail` | |", "| --- | --- |")
        yield from (f"| `{name}` | {field['description']} |" for name, field in fields.items())
        yield ""
        yield from (
            "```json",
            json.dumps(example["detail"], ensure_ascii=False, indent=2),
            "```",
            "",
        )


def _wrapped(text: str, start: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=start,
        subsequent_indent=start,
        break_long_words=False,
        break_on_hyphens=False,
    )


def write(path: Path = PAGE) -> None:
    """Bring the page up to date."""
    path.write_text(page(path.read_text()))


if __name__ == "__main__":
    write()
