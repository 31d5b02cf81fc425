"""Which label an image has, from what several people and the model say about it.

The idea is CROWDLAB's (Goh, Tkachenko, Mueller, "CROWDLAB: Supervised learning to infer consensus
labels and quality scores for data with multiple annotators", 2022): the model's opinion counts
like one more answer, and everybody counts as much as they have been right before. Here the answers
are joined by Bayes' rule, with a reliability for each person and label (Dawid and Skene, 1979, with
all wrong labels equally likely):

    P(label) ~ opinion(label) * product over people of P(answer | label)

The model's opinion must have been given before the label was known: of a version that was not
trained on the image. It must not be used in quality samples, which measure the model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loupe.domain.stored_names import stored_as

PRIOR_RATE = 0.85
PRIOR_ANSWERS = 8
"""A new person is believed as one who was right in 85 % of eight answers."""
LABEL_ANSWERS = 6
"""A person's rate of all labels counts as this many answers about each label."""
HIGHEST_RATE = 0.99
CONFLICT_BELOW = 0.55
"""Certainty that the leading label needs when nobody else is asked."""
SURE = 0.8
"""Certainty at which the others' label says whether a person was right."""
MOST_PASSES = 10

Answers = Mapping[str, str]
"""One label, or NONE_OF_THE_ABOVE, for each person."""
Opinion = Mapping[str, float]
"""The model's confidence in each label it knows, 0-100; they need not sum to 100."""


@dataclass(frozen=True)
class Reliability:
    """How often somebody answered about images of one label, and how often with that label.

    An attribute `answered` is the key of an index, and holds no number.
    """

    answered: int = field(default=0, metadata=stored_as("answers"))
    right: int = 0

    def plus(self, right: bool) -> "Reliability":
        return Reliability(self.answered + 1, self.right + right)


Reliabilities = Mapping[str, Mapping[str, Reliability]]
"""By person (or version of the model) and true label."""


@dataclass(frozen=True)
class Judgement:
    """Somebody's answer about an image of `label` was right or wrong: one more to count."""

    name: str
    label: str
    right: bool


@dataclass(frozen=True)
class Case:
    """One image: its answers, the opinion of `version` ("" and None without one)."""

    answers: Answers
    version: str = ""
    opinion: Opinion | None = None

    def without(self, person: str) -> "Case":
        others = {name: label for name, label in self.answers.items() if name != person}
        return Case(others, self.version, self.opinion)

    def without_opinion(self) -> "Case":
        return Case(self.answers)


@dataclass(frozen=True)
class Settled:
    """The label is sure enough."""

    label: str
    certainty: float


@dataclass(frozen=True)
class AskAgain:
    """Another person should answer; `label` leads so far ("" before the first answer)."""

    label: str
    certainty: float


@dataclass(frozen=True)
class Conflict:
    """Everybody was asked and no label is sure enough: an operator decides."""

    certainties: Mapping[str, float] = field(default_factory=dict)


def rate(counts: Mapping[str, Reliability], label: str) -> float:
    """How likely somebody with these `counts` gives `label` to an image of `label`.

    The rate of all labels is drawn to the prior, that of one label to the rate of all.
    """
    own, overall = counts.get(label, Reliability()), overall_rate(counts)
    return min((own.right + overall * LABEL_ANSWERS) / (own.answered + LABEL_ANSWERS), HIGHEST_RATE)


def overall_rate(counts: Mapping[str, Reliability]) -> float:
    """How likely somebody with these `counts` is right, 0-1; without counts the prior."""
    answered = sum(count.answered for count in counts.values())
    right = sum(count.right for count in counts.values())
    return (right + PRIOR_RATE * PRIOR_ANSWERS) / (answered + PRIOR_ANSWERS)


def certainty(case: Case, reliabilities: Reliabilities, labels: Sequence[str]) -> dict[str, float]:
    """The probability of each of `labels`, which are all that people are offered, in their order.

    An answer outside `labels` (a label that was removed) says nothing. Raises ValueError without
    labels.
    """
    if not labels:
        raise ValueError("certainty needs at least one label")
    weights = _believed(case, reliabilities, labels)
    for person, answer in case.answers.items():
        if answer in weights:
            counts = reliabilities.get(person, {})
            for label in labels:
                weights[label] *= _likelihood(answer, label, rate(counts, label), len(labels))
        # Many answers must not underflow.
        total = sum(weights.values())
        weights = {label: weight / total for label, weight in weights.items()}
    return weights


def leading(certainties: Mapping[str, float]) -> tuple[str, float]:
    """The likeliest label (the first of equals) and its certainty."""
    label = max(certainties, key=lambda name: certainties[name])
    return label, certainties[label]


def settle(
    case: Case,
    reliabilities: Reliabilities,
    labels: Sequence[str],
    minimum: float,
    maximum: int,
) -> Settled | AskAgain | Conflict:
    """Business rule: ask until a label has the `minimum` certainty, 0-1, but not more than
    `maximum` people; then `CONFLICT_BELOW` is enough. Without an answer nothing is settled.
    """
    if not case.answers:
        return AskAgain("", 0.0)
    certainties = certainty(case, reliabilities, labels)
    label, sure = leading(certainties)
    if sure >= minimum:
        return Settled(label, sure)
    if len(case.answers) < maximum:
        return AskAgain(label, sure)
    return Settled(label, sure) if sure >= CONFLICT_BELOW else Conflict(certainties)


def judge(case: Case, reliabilities: Reliabilities, labels: Sequence[str]) -> list[Judgement]:
    """Who was right, by what all others say: nobody's answer is held against itself.

    Judges each person, and the version of the model, for whom the others are `SURE`. Whether they
    are sure does not depend on the answer that is judged, so the counts are not biased. The model
    alone judges nobody: people are asked because it may be wrong.
    """
    judgements = []
    for person, answer in case.answers.items():
        others = case.without(person)
        if others.answers:
            judgements += _judged(person, answer, certainty(others, reliabilities, labels))
    if case.opinion:
        people = certainty(case.without_opinion(), reliabilities, labels)
        judgements += _judged(case.version, leading(case.opinion)[0], people)
    return judgements


def judge_by(case: Case, label: str) -> list[Judgement]:
    """Who was right when `label` is known: a gold task, or an operator's decision."""
    judgements = [Judgement(person, label, said == label) for person, said in case.answers.items()]
    if case.opinion:
        said = leading(case.opinion)[0]
        judgements.append(Judgement(case.version, label, said == label))
    return judgements


def count(
    reliabilities: Reliabilities, judgements: Sequence[Judgement]
) -> dict[str, dict[str, Reliability]]:
    """The counts with `judgements` added."""
    counted = {name: dict(labels) for name, labels in reliabilities.items()}
    for judgement in judgements:
        labels = counted.setdefault(judgement.name, {})
        labels[judgement.label] = labels.get(judgement.label, Reliability()).plus(judgement.right)
    return counted


def fallen_below(
    minimum: float, before: Reliabilities, judgements: Sequence[Judgement]
) -> dict[str, float]:
    """Whose overall rate falls below `minimum`, 0-1, with these judgements, and that rate.

    Somebody who was below before is not told of again.
    """
    after = count(before, judgements)
    rates = {each.name: overall_rate(after[each.name]) for each in judgements}
    return {
        name: now
        for name, now in rates.items()
        if now < minimum <= overall_rate(before.get(name, {}))
    }


def estimate(cases: Sequence[Case], labels: Sequence[str]) -> dict[str, dict[str, Reliability]]:
    """The counts of everybody from all images at once.

    Judges all cases by the counts of the pass before, until nothing changes (`MOST_PASSES` at
    most).
    """
    counts: dict[str, dict[str, Reliability]] = {}
    for _ in range(MOST_PASSES):
        judged = [judgement for case in cases for judgement in judge(case, counts, labels)]
        before, counts = counts, count({}, judged)
        if counts == before:
            break
    return counts


def _believed(case: Case, reliabilities: Reliabilities, labels: Sequence[str]) -> dict[str, float]:
    """The model's opinion, as far as its version has deserved.

    All labels share evenly what its confidences leave of 100, such as that none of those fits.
    """
    even, counts = 1 / len(labels), reliabilities.get(case.version, {})
    opinion = case.opinion or {}
    confidences = {label: max(opinion.get(label, 0.0), 0.0) for label in labels}
    whole = max(sum(confidences.values()), 100.0)
    spare = even * (1 - sum(confidences.values()) / whole)
    weights = {}
    for label in labels:
        trust = rate(counts, label)
        weights[label] = trust * (confidences[label] / whole + spare) + (1 - trust) * even
    return weights


def _likelihood(answer: str, label: str, right: float, labels: int) -> float:
    """P(answer | label), with all wrong answers equally likely."""
    if answer == label:
        return right
    return (1 - right) / max(labels - 1, 1)


def _judged(name: str, said: str, others: Mapping[str, float]) -> list[Judgement]:
    label, sure = leading(others)
    return [Judgement(name, label, said == label)] if sure >= SURE else []
