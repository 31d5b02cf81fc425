"""Labels to F1 0.97 on digits, by the order in which people are asked."""

from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from benchmarks.digits import Floats, Ints, Model, confidences, digits, thumbnails
from loupe.domain.choice import Candidate, Strategy, order

GOAL = 0.97
TEST = 500
COLD_START = 20
BATCH = 10
WAITING = 300
"""Images that have arrived when there is no model yet."""
SURE = 0.7
MOST = 500
RANDOM = "random"
EMBEDDED = "margin-diverse with embeddings"
STRATEGIES = (RANDOM, *Strategy, EMBEDDED)


def labels_needed(strategy: str, seed: int) -> int:
    """How many images people have labelled when a version first reaches the goal."""
    data = digits()
    shuffled = np.random.default_rng(seed).permutation(len(data.labels))
    test, pool = shuffled[:TEST], shuffled[TEST:]
    labelled = first_images(strategy, pool)
    while len(labelled) < MOST:
        model = Model(data.features[labelled], data.labels[labelled])
        said = model.probabilities(data.features[test]).argmax(axis=1)
        if f1_score(data.labels[test], said, average="macro") >= GOAL:
            break
        rest = pool[~np.isin(pool, labelled)]
        labelled += next_images(strategy, rest, model.probabilities(data.features[rest]))
    return len(labelled)


def first_images(strategy: str, pool: Ints) -> list[int]:
    """Before there is a model, all images that have arrived are candidates."""
    waiting = [candidate(strategy, place, image) for place, image in enumerate(pool[:WAITING])]
    return ordered(strategy, waiting, COLD_START)


def next_images(strategy: str, rest: Ints, probabilities: Floats) -> list[int]:
    """The images below the minimum confidence, filled up with the least sure of the others."""
    if strategy == RANDOM:
        return [int(image) for image in rest[:BATCH]]
    sure = probabilities.max(axis=1)
    unsure = sure < SURE
    if unsure.sum() < BATCH:
        unsure = sure <= np.sort(sure)[BATCH - 1]
    places: list[int] = np.flatnonzero(unsure).tolist()
    return ordered(
        strategy,
        [candidate(strategy, place, int(rest[place]), probabilities[place]) for place in places],
        BATCH,
    )


def candidate(strategy: str, place: int, image: int, row: Floats | None = None) -> Candidate:
    return Candidate(
        id=str(image),
        arrival=f"{place:06d}",
        scores={} if row is None else confidences(row),
        embedding=digits().features[image].tolist() if strategy == EMBEDDED else None,
        thumbnail=thumbnails()[image],
    )


def ordered(strategy: str, candidates: Sequence[Candidate], count: int) -> list[int]:
    names = {RANDOM: Strategy.ARRIVAL, EMBEDDED: Strategy.MARGIN_DIVERSE}
    by = names.get(strategy) or Strategy(strategy)
    return [int(image) for image in order(candidates, by, count)[:count]]


def choice(seeds: Sequence[int]) -> dict[str, Any]:
    """Labels to the goal by strategy, and the two ratios that the project promises."""
    needed = {name: [labels_needed(name, seed) for seed in seeds] for name in STRATEGIES}
    averages = {name: mean(counts) for name, counts in needed.items()}
    diverse = averages[Strategy.MARGIN_DIVERSE]
    return {
        "goal": GOAL,
        "seeds": len(seeds),
        "labels": {
            str(name): {"mean": averages[name], "spread": stdev(counts), "all": counts}
            for name, counts in needed.items()
        },
        "of arrival": diverse / averages[Strategy.ARRIVAL],
        "of random": diverse / averages[RANDOM],
    }
