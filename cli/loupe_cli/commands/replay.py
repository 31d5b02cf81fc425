"""replay: dead letters, and images that failed or were rejected, back to where they came from."""

import getpass
from dataclasses import asdict
from typing import Annotated, Any

import typer

from loupe.domain.detection import NOT_READ, Detection
from loupe.services.detection import read_again
from loupe_cli.dead_letters import QUEUES, DeadLetter, letters, put_back, release
from loupe_cli.options import Json
from loupe_cli.render import err, out, show_json, show_table
from loupe_cli.target import Target

SHOWN = ("queue", "about", "reason", "times", "body")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(replay)


def replay(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Bring them back without asking.")] = False,
    as_json: Json = False,
) -> None:
    """List dead letters and images that were not read, and bring them back."""
    target: Target = context.obj
    dead = [letter for queue in QUEUES for letter in letters(queue, target)]
    images = [image for state in NOT_READ for image in target.deps.detections.newest(state)]
    _show(dead, images, as_json)
    total = sum(bool(letter.target) for letter in dead) + len(images)
    brings_back = yes or (not as_json and total and typer.confirm(f"Queue {total} of them again?"))
    for letter in dead:
        if brings_back and letter.target:
            put_back(letter, target)
        else:
            release(letter, target)
    if not brings_back:
        return
    refused = read_again([image.image.id for image in images], getpass.getuser(), target.deps)
    for why in refused.values():
        err.print(why, markup=False)
    if not as_json:
        out.print(f"{total - len(refused)} were brought back.")


def _show(dead: list[DeadLetter], images: list[Detection], as_json: bool) -> None:
    if as_json:
        records = ({k: v for k, v in asdict(letter).items() if k in SHOWN} for letter in dead)
        show_json([*records, *map(_as_json, images)])
        return
    show_table(
        ["queue", "about", "why", "tried"],
        [
            *((letter.queue, letter.about, letter.reason, letter.times) for letter in dead),
            *((d.state, d.image.name, d.reason, d.repeats + 1) for d in images),
        ],
        "No dead letters, and no failed or rejected images.",
    )


def _as_json(image: Detection) -> dict[str, Any]:
    """An image that was not read, as a dead letter is shown: `body` is its id."""
    return {
        "queue": image.state,
        "about": image.image.name,
        "reason": image.reason,
        "times": image.repeats + 1,
        "body": image.image.id,
    }
