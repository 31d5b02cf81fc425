"""Writes the table in docs/parameters.md from the catalogue: `python -m tools.settings_page`."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from loupe.domain.settings import CATALOGUE

PAGE = Path(__file__).parents[1] / "docs" / "parameters.md"
START = "<!-- Made from domain/settings.py by 'python -m tools.settings_page'. -->\n"
END = "<!-- To here. -->\n"
SCHEDULE = "at once: the schedule is switched on or off"
RATE = "at once: the schedule gets the new rate"
NEXT_CHECK = "at the next training check; a training run that has begun keeps its value"
TAKES_EFFECT: Mapping[str, str] = {
    "Enable-Automatic-Training": SCHEDULE,
    "Automatic-Training-Poll-Frequency": RATE,
    "Minimum-Untrained-Images": "at the next training check",
    "Minimum-F1-Score": NEXT_CHECK,
    "Minimum-Inference-Units": "at the next start of a model; one that runs keeps its units",
    "Minimum-Label-Detection-Confidence": "for the next image; what was decided stays",
    "Enable-A2I-Workflow": "for the next image; open reviews stay open",
    "Enable-Automatic-Human-Sampling": SCHEDULE,
    "Automatic-Human-Sampling-Frequency": RATE,
    "Human-Sampling-Interval": "at the next sampling",
    "Labels": "at once: images that waited for labels are queued; a review keeps its labels",
    "Minimum-F1-Improvement": NEXT_CHECK,
    "Maximum-Label-F1-Drop": NEXT_CHECK,
    "Enable-Automatic-Deployment": NEXT_CHECK,
    "Maximum-Inference-Units": (
        "at the next start of a model; at once for reading: five images at a time for each unit"
    ),
    "Stop-Model-When-Idle-Minutes": "within a minute",
    "Reviewers-Per-Image": "for the next review; a review keeps its number",
    "Maximum-Reviews-Per-Day": (
        "for the next review; queued reviews open within a minute if the new number allows it"
    ),
    "Show-Model-Guess": "for the next review",
    "Review-Strategy": "at once",
    "Minimum-Label-Certainty": "for the next review; a review keeps its number",
    "Gold-Task-Interval": "at once",
    "Minimum-Reviewer-Reliability": "at the next answer that is judged",
    "Holdout-Percent": "for the next labelled image; an image never changes its side",
    "Group-Images-By": "for the next labelled image; an image never changes its side",
}


def page(text: str) -> str:
    """The page with its table made anew; what stands around the marks is kept."""
    before, _, rest = text.partition(START)
    after = rest.partition(END)[2]
    return before + START + "\n" + "\n".join(_lines()) + "\n\n" + END + after


def _lines() -> Iterator[str]:
    yield "| setting | default | allowed | meaning | takes effect |"
    yield "| --- | --- | --- | --- | --- |"
    for setting in CATALOGUE:
        name, default = f"`{setting.name}`", f"`{setting.default}`"
        allowed = setting.allowed.replace("\\", "\\\\")
        cells = (name, default, allowed, setting.meaning, TAKES_EFFECT[setting.name])
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
