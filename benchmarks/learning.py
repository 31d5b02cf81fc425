"""How fast Loupe learns, and how well it knows how good it is: `make bench-learning`.

    SEED=100 make bench-learning

Writes build/bench/learning.json, and docs/learning.md from it. The seeds of each part begin at
`SEED` (0). The tables say what is measured; each part is a module of its own.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.learning_accuracy import accuracy
from benchmarks.learning_choice import choice
from benchmarks.learning_consensus import consensus
from benchmarks.learning_drift import drift
from benchmarks.learning_page import page
from benchmarks.learning_suspects import suspects
from benchmarks.photographs import average, photographs

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "build" / "bench" / "learning.json"
PAGE = ROOT / "docs" / "learning.md"
PROCESSES = 2

PARTS: Mapping[str, tuple[Callable[[Sequence[int]], Any], int]] = {
    "photographs": (lambda seeds: average([photographs(seed) for seed in seeds]), 3),
    "choice": (choice, 40),
    "accuracy": (accuracy, 12),
    "drift": (drift, 20),
    "consensus": (consensus, 12),
    "suspects": (suspects, 12),
}
"""Each part with the number of its seeds; those that take longest come first."""


def measure(part: str, first: int) -> tuple[str, Any, float]:
    """A part's name, its figures and the seconds that they took."""
    run, count = PARTS[part]
    started = time.perf_counter()
    return part, run(range(first, first + count)), time.perf_counter() - started


def measure_all(first: int) -> dict[str, Any]:
    """The figures of all parts, and where and when they were measured."""
    with ProcessPoolExecutor(PROCESSES) as pool:
        done = list(pool.map(measure, PARTS, [first] * len(PARTS)))
    return {
        "at": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "seed": first,
        "seconds": {part: round(seconds, 1) for part, _, seconds in done},
        **{part: figures for part, figures, _ in done},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    results = measure_all(parser.parse_args().seed)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    PAGE.write_text(page(results))
    print(page(results))


if __name__ == "__main__":
    main()
