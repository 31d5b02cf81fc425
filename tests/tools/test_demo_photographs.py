"""The demo's photographs and their figures."""

from pathlib import Path

import numpy as np
from PIL import Image

from tools.demo.photographs import FOREIGN, GROUNDS, SIDE, THINGS, Act, Seen, bundled, ground, scene

IMAGE = Image.new("RGB", (SIDE, SIDE), "white")
ACT = Act(
    "backbone",
    [
        Seen(IMAGE, "cat", "cat", 93.0),
        Seen(IMAGE, "cat", "rocket", 75.0),
        Seen(IMAGE, "rocket", "rocket", 69.9),
        Seen(IMAGE, None, "cat", 70.0),
        Seen(IMAGE, None, "cat", 12.0),
    ],
)


def test_figures_count_what_was_accepted_and_how_much_of_it_is_right() -> None:
    assert ACT.figures == {
        "images": 3,
        "accepted": 2,
        "accepted_right": 1,
        "foreign": 2,
        "foreign_accepted": 1,
    }


def test_every_photograph_comes_with_the_package() -> None:
    for name in (*THINGS.values(), *FOREIGN, *GROUNDS):
        assert min(bundled(name).size) > 100


def test_a_scene_shows_a_part_of_the_photograph_on_a_ground() -> None:
    red = Image.new("RGB", (300, 200), (255, 0, 0))
    pixels = np.asarray(scene(red, np.random.default_rng(0))).astype(int)
    covered = (pixels[..., 0] - pixels[..., 1] > 100).mean()
    assert 0.1 < covered < 0.8
    bare = np.asarray(ground(np.random.default_rng(0))).astype(int)
    assert (bare[..., 0] - bare[..., 1] > 100).mean() < 0.01


def test_the_sheet_is_drawn(tmp_path: Path) -> None:
    ACT.draw(tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (1200, 516)
