"""Wrong labels and conflicts by the rule that makes a label of several people's answers.

Four reviewers are wrong in 10 % of their answers and one in 30 %; a wrong answer is any other
label. The model's opinion is that of one trained on other images. As in the product, answers come
one by one, who was right is counted as images are settled, every 20th answer is a gold task, and an
operator decides conflicts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.digits import LABELS, Ints, Model, confidences, digits
from loupe.domain.certainty import (
    AskAgain,
    Case,
    Conflict,
    Reliabilities,
    Settled,
    certainty,
    count,
    judge,
    judge_by,
    leading,
    settle,
)
from loupe.domain.keys import NONE_OF_THE_ABOVE

WRONG = {"ada": 0.1, "bob": 0.1, "cleo": 0.1, "dan": 0.1, "eve": 0.3}
OFFERED = (*LABELS, NONE_OF_THE_ABOVE)
TRAINED = 60
"""A young model: more images make it better, and the rules look better than they are."""
IMAGES = 600
MINIMUM = 0.9
"""The default of `Minimum-Label-Certainty`."""
GOLD_INTERVAL = 20
"""The default of `Gold-Task-Interval`."""
HELD_BACK = 0.1


@dataclass(frozen=True)
class Asked:
    """An image: its true label, what the model says, and what two people would answer."""

    truth: str
    opinion: dict[str, float]
    answers: tuple[tuple[str, str], tuple[str, str]]


def asked(seed: int) -> list[Asked]:
    generator = np.random.default_rng(seed)
    data, shuffled = digits(), generator.permutation(len(digits().labels))
    trained, shown = shuffled[:TRAINED], shuffled[TRAINED : TRAINED + IMAGES]
    model = Model(data.features[trained], data.labels[trained])
    rows = model.probabilities(data.features[shown])
    return [
        Asked(LABELS[digit], confidences(row), _answers(digit, generator))
        for digit, row in zip(data.labels[shown], rows, strict=True)
    ]


def _answers(digit: int, generator: np.random.Generator) -> tuple[tuple[str, str], tuple[str, str]]:
    first, second = generator.permutation(list(WRONG))[:2]
    return (first, _answer(first, digit, generator)), (second, _answer(second, digit, generator))


def _answer(person: str, digit: int, generator: np.random.Generator) -> str:
    wrong = generator.random() < WRONG[person]
    others: Ints = np.array([other for other in range(len(LABELS)) if other != digit])
    return LABELS[int(generator.choice(others)) if wrong else digit]


def consensus(seeds: Sequence[int]) -> dict[str, Any]:
    """Shares of all images, averaged over seeds."""
    rows = [_measure(asked(seed)) for seed in seeds]
    return {"seeds": len(seeds)} | {name: mean(row[name] for row in rows) for name in rows[0]}


def _measure(images: Sequence[Asked]) -> dict[str, float]:
    first = [image.answers[0][1] for image in images]
    second = [image.answers[1][1] for image in images]
    agree = [a == b for a, b in zip(first, second, strict=True)]
    wrong_together = sum(
        same and a != image.truth for same, a, image in zip(agree, first, images, strict=True)
    )
    return {
        "one answer: wrong": _share(a != i.truth for a, i in zip(first, images, strict=True)),
        "strict majority of two: conflicts": 1 - _share(agree),
        "strict majority of two: wrong": wrong_together / len(images),
        **_loupe(images, at_most=2),
        **_held_back(images),
    }


def _loupe(images: Sequence[Asked], at_most: int) -> dict[str, float]:
    """Up to two answers an image: the second person is asked where the label is not sure."""
    known: Reliabilities = {}
    answers = wrong = conflicts = 0
    for image in images:
        said = Case({}, "model", image.opinion)
        outcome: Settled | AskAgain | Conflict = AskAgain("", 0.0)
        for person, label in image.answers[:at_most]:
            said = Case({**said.answers, person: label}, "model", image.opinion)
            answers += 1
            outcome = settle(said, known, OFFERED, MINIMUM, at_most)
            if answers % GOLD_INTERVAL == 0:
                known = count(known, judge_by(Case({person: label}), image.truth))
            if not isinstance(outcome, AskAgain):
                break
        match outcome:
            case Settled(label):
                wrong += label != image.truth
                known = count(known, judge(said, known, OFFERED))
            case _:
                conflicts += 1
                known = count(known, judge_by(said, image.truth))
    return {
        "Loupe, at most two answers: conflicts": conflicts / len(images),
        "Loupe, at most two answers: wrong": wrong / len(images),
        "Loupe, at most two answers: answers an image": answers / len(images),
    }


def _held_back(images: Sequence[Asked]) -> dict[str, float]:
    """One answer an image; the least certain tenth waits for somebody else."""
    known: Reliabilities = {}
    judged = []
    for number, image in enumerate(images, 1):
        person, label = image.answers[0]
        said = Case({person: label}, "model", image.opinion)
        best, sure = leading(certainty(said, known, OFFERED))
        judged.append((sure, best != image.truth))
        if number % GOLD_INTERVAL == 0:
            known = count(known, judge_by(Case({person: label}), image.truth))
    kept = sorted(judged)[round(HELD_BACK * len(images)) :]
    return {"Loupe, one answer, a tenth held back: wrong": _share(wrong for _, wrong in kept)}


def _share(hits: Iterable[bool]) -> float:
    return float(np.mean(list(hits)))
