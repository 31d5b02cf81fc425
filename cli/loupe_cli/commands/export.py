"""export: labelled images, labels, reviews, detections, settings and models as plain files."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import typer

from loupe.adapters.items import to_item
from loupe.domain.detection import DetectionState
from loupe.domain.keys import ImageRef, timestamp
from loupe.domain.labelled_images import LabelledImage, LabelledImageStatus
from loupe.errors import NotFound
from loupe.wiring import Deps
from loupe_cli.archive import Archive
from loupe_cli.render import err, out, show_table
from loupe_cli.target import Target

OPEN = (DetectionState.WAITING, DetectionState.REVIEW)
"""Images in these states still need an answer, so they are exported whole."""
THREADS = 8


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
) -> None:
    """Write everything of the stack as plain files, for 'loupe import' or for other tools."""
    target: Target = context.obj
    deps, archive = target.deps, Archive(folder)
    archive.begin({"stack": target.name, "at": timestamp(deps.clock())})
    with err.status("Exporting…"):
        archive.write("settings", deps.parameters.values())
        counts = {
            "labelled images": archive.write_lines("labelled_images", labelled(target, archive)),
            "detections": archive.write_lines("detections", detections(target, archive)),
            **write_history(archive, deps),
        }
    show_table(["exported", "number"], counts.items(), "")
    out.print(f"It is all in {folder}.", markup=False)


def write_history(archive: Archive, deps: Deps) -> dict[str, int]:
    """Write every review and version; returns how many of each."""
    return {
        "reviews": archive.write_lines("reviews", map(to_item, deps.reviews.newest())),
        "models": archive.write_lines("models", map(to_item, deps.versions.newest())),
    }


def labelled(target: Target, archive: Archive) -> Iterator[dict[str, Any]]:
    """Every registered labelled image: its record, its group's side, and its file."""
    registered = list(target.deps.dataset.labelled_images(LabelledImageStatus.REGISTERED))

    def one(image: LabelledImage) -> dict[str, Any] | None:
        try:
            body = target.deps.objects.read(image.key, image.version)
        except NotFound:
            return None  # Removed a moment ago; its event is on its way.
        return to_item(image) | {"file": archive.save(image.key, body)}

    with ThreadPoolExecutor(THREADS) as pool:
        yield from filter(None, pool.map(one, reversed(registered)))


def detections(target: Target, archive: Archive) -> Iterator[dict[str, Any]]:
    """Every record; images that still need an answer come with their file."""
    for detection in target.deps.detections.newest():
        record = to_item(detection) | {"file": ""}
        if detection.state in OPEN:
            record["file"] = _saved(detection.image, target, archive)
        yield record


def _saved(image: ImageRef, target: Target, archive: Archive) -> str:
    try:
        return archive.save(image.key, target.deps.objects.read(image.key, image.version))
    except NotFound:
        return ""  # The consumer has deleted it: nobody waits for an answer.
