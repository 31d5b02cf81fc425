"""Labelled images and failed ones on the page: folders, copies, conflicts, reading again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from loupe.domain.detection import DetectionState
from loupe.services.detection import NO_OUTPUT, record
from tests.browser.conftest import Console, write_files
from tests.browser.test_console import axe, see
from tests.stack.conftest import until
from tests.stack.pictures import drawn

pytestmark = pytest.mark.stack

Keep = Callable[[Page, str], None]
LABELS = ("circle", "cross", "square", "star")


def labelled_folder(place: Path, copies: int = 0) -> Path:
    """One sub-folder a label with two pictures each, and what is to be left out."""
    for number, label in enumerate(LABELS):
        pictures = {f"{n}.png": drawn(100 + 2 * number + n) for n in range(2)}
        write_files(place / label, pictures)
    write_files(place / LABELS[0], {f"copy {n}.png": drawn(100) for n in range(copies)})
    write_files(place, {"notes.txt": b"no image", "loose.png": drawn(90), ".hidden": b"x"})
    return place


def test_a_folder_of_folders_makes_one_label_of_each_after_a_preview(
    console: Console, picture: Keep, tmp_path: Path
) -> None:
    page = console.open("operator")
    page.goto(f"{console.url}/#/dataset")
    folder = page.get_by_label("Choose a folder")
    folder.set_input_files(labelled_folder(tmp_path / "shapes", copies=1))

    dialog = page.get_by_role("dialog", name="Upload 4 labels, 9 images?")
    expect(dialog.get_by_label("Labels")).to_contain_text("circle: 3 images")
    expect(dialog.get_by_label("Labels")).to_contain_text("star: 2 images")
    left_out = dialog.get_by_label("Files that are left out")
    expect(left_out).to_contain_text("shapes/notes.txt: It is not a PNG or JPEG image")
    expect(left_out).to_contain_text("shapes/loose.png: It has no label")
    expect(left_out.get_by_role("listitem")).to_have_count(2)
    picture(page, "dataset-preview")
    axe(page)
    dialog.get_by_role("button", name="Cancel").last.click()
    assert list(console.stack.deps.dataset.labelled_images()) == []

    folder.set_input_files(tmp_path / "shapes")
    dialog.get_by_role("button", name="Upload", exact=True).click()

    see(page, "9 of 9 uploaded")
    console.stack.registered(9)
    counts = console.stack.deps.dataset.label_counts().by_label
    assert {label: count.train + count.test for label, count in counts.items()} == dict.fromkeys(
        LABELS, 2
    )
    page.context.close()


def test_what_does_not_count_is_said_where_images_are_added_and_on_the_overview(
    console: Console,
) -> None:
    page = console.open("operator")
    for address in ("dataset", "overview"):
        page.goto(f"{console.url}/#/{address}")
        see(page, "8 labelled images were added, relabelled or removed since the last attempt")
        see(page, "1 more came and does not count: circle/")
        see(page, "the same picture as circle/")
        see(page, "upload 2 more, or set Minimum-Untrained-Images to 8")
    page.context.close()


def test_folders_that_are_dropped_side_by_side_are_labels(console: Console, tmp_path: Path) -> None:
    page = console.open("operator")
    page.goto(f"{console.url}/#/dataset")
    page.get_by_placeholder("cat").fill("wrong")
    page.keyboard.press("Escape")
    drop_folders(page, ("heart", "moon"))

    dialog = page.get_by_role("dialog", name="Upload 2 labels, 2 images?")
    expect(dialog).to_contain_text("“wrong” is not used.")
    expect(dialog.get_by_label("Labels")).to_contain_text("moon: 1 image")
    page.context.close()


def drop_folders(page: Page, names: tuple[str, ...]) -> None:
    """A drop of folders with one image each, as a browser hands it over."""
    page.locator(".drop").evaluate(
        """(zone, names) => {
          const file = new File(["x"], "1.png", { type: "image/png" });
          const image = { isFile: true, name: "1.png", file: (take) => take(file) };
          const folder = (name) => {
            let batches = [[image], []];
            return {
              isFile: false,
              name,
              createReader: () => ({ readEntries: (take) => take(batches.shift()) }),
            };
          };
          const items = names.map((name) => ({ webkitGetAsEntry: () => folder(name) }));
          const drop = new Event("drop", { bubbles: true, cancelable: true });
          Object.defineProperty(drop, "dataTransfer", { value: { items } });
          zone.dispatchEvent(drop);
        }""",
        list(names),
    )


def test_one_picture_under_two_labels_is_decided_on_the_page_conflicts(
    console: Console, picture: Keep
) -> None:
    stack = console.stack
    stack.put("images_labeled_by_folder/cross/again.png", drawn(106))
    until(lambda: list(stack.deps.reviews.newest("conflict")) or None, seconds=60)
    page = console.open("operator")
    page.goto(f"{console.url}/#/dataset?label=cross")
    page.get_by_role("link", name="cross/again.png").click()
    see(page, "The same picture is labelled")
    expect(page.get_by_role("dialog")).not_to_contain_text("counts once")
    page.goto(f"{console.url}/#/overview")
    see(page, "Conflicts to decide: 1")

    page.goto(f"{console.url}/#/conflicts")
    see(page, "The same picture is labelled differently")
    expect(page.get_by_role("img", name="star/0.png")).to_be_visible()
    expect(page.get_by_role("img", name="cross/again.png")).to_be_visible()
    picture(page, "conflicts-labels")
    axe(page)
    page.get_by_role("button", name="Label of cross/again.png").click()
    page.get_by_role("option", name="star", exact=True).click()
    page.get_by_role("button", name="Decide").click()

    see(page, "No conflicts")
    key = "images_labeled_by_folder/cross/again.png"
    until(
        lambda: getattr(stack.deps.dataset.labelled_image(key), "status", "") == "removed" or None,
        seconds=60,
    )
    counts = stack.deps.dataset.label_counts().by_label
    assert counts["star"].train + counts["star"].test == 2
    page.context.close()


def test_images_that_were_not_read_are_read_again_one_and_many(
    console: Console, picture: Keep
) -> None:
    stack = console.stack
    names = [f"{name}.png" for name in ("first", "second", "third", "gone")]
    stack.set(Enable_A2I_Workflow="false")
    for number, name in enumerate(names):
        stack.put(f"images_for_detection/{name}", drawn(200 + number))
    for found in stack.settled(names, states=["waiting"]).values():
        record(found.image.id, DetectionState.FAILED, NO_OUTPUT, "the model was away", stack.deps)
    stack.set(Enable_A2I_Workflow="true")
    stack.delete("images_for_detection/gone.png")

    page = console.open("consumer")
    page.goto(f"{console.url}/#/detect?state=failed")
    page.get_by_role("link", name="first.png").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Read again").click()
    see(page, "1 image is read again.")
    expect(dialog.get_by_role("button", name="Read again")).to_have_count(0)
    dialog.get_by_role("button", name="Close", exact=True).first.click()

    for name in ("second.png", "third.png", "gone.png"):
        page.get_by_role("checkbox", name=name).check(force=True)
    picture(page, "detect-again")
    axe(page)
    page.get_by_role("button", name="Read again").click()
    see(page, "2 images are read again. 'gone.png' was deleted from the bucket")
    stack.settled([name for name in names if name != "gone.png"], states=["review"])
    page.context.close()


def test_no_error_was_in_the_browser(console: Console) -> None:
    assert console.faults == []
