"""docs/learning.md, made from the figures of `make bench-learning`."""

from collections.abc import Iterable, Mapping
from typing import Any

HEAD = """# How fast Loupe learns, and how well it knows how good it is

`make bench-learning` measures this page ({at}; {machine}; seeds from {seed}) and writes
`build/bench/learning.json`; `SEED=n` takes other seeds. Images are the 1,797 handwritten digits
of scikit-learn and a small calibrated model of them, where nothing else is said. The figures are
about the rules of `functions/loupe/domain/`, which are the same with Amazon Rekognition; how good
its models are is not measured here.
"""

CHOICE = """## Which images to ask about

Labels that people give until F1 reaches {goal} on images that nobody asks about, by
[`Review-Strategy`](parameters.md), over {seeds} seeds. Before there is a model, people label 20
images, then the model asks about 10 at a time, of those that it is unsure of. With `random`, it
asks about any image.
"""

CONSENSUS = """## Several people

Four reviewers are wrong in 10 % of their answers, one in 30 %; a young model gave its opinion
before the label ({seeds} seeds, [how answers are weighed](reviewers.md)).
"""

SUSPECTS = """## Wrong labels

Of 500 labelled images 10 % get a wrong label; Loupe lists those that models which were not
trained on them believe least ({seeds} seeds).
"""

DRIFT = """## A shift of what the model sees

Looks are taken after every 25 images at the newest 50. A shift is there from the start, when only
the holdout can show it, or comes later, after the first 150 images in production ({seeds} seeds).
Without a shift there were {alarms} false alarms in {windows} windows.
"""

ACCURACY = """## How good it is, without labels

The estimate from the model's confidences beside the true share of right answers, over {seeds}
seeds. It holds while the model errs as it did on the holdout: under large changes it does not,
and the alarm of a shift is what counts.
"""

PHOTOGRAPHS = """## The local model on photographs

Eight labels, six images a label, of Debian's package `tuxpaint-stamps-default`; all other images
of the package are asked about, and foreign ones that show none of the labels ({seeds} seeds).
"""


def page(results: Mapping[str, Any]) -> str:
    """The whole page."""
    return "\n".join(
        [
            HEAD.format(**results),
            *_choice(results["choice"]),
            *_consensus(results["consensus"]),
            *_suspects(results["suspects"]),
            *_drift(results["drift"]),
            *_accuracy(results["accuracy"]),
            *_photographs(results["photographs"]),
        ]
    )


def _choice(found: Mapping[str, Any]) -> Iterable[str]:
    yield CHOICE.format(**found)
    yield from _table(
        ("strategy", "labels", "spread (standard deviation)"),
        (
            (f"`{name}`" if " " not in name else name, f"{one['mean']:.0f}", f"{one['spread']:.0f}")
            for name, one in found["labels"].items()
        ),
    )
    yield (
        f"`margin-diverse` needs {found['of arrival']:.2f} of the labels of `arrival` and "
        f"{found['of random']:.2f} of those of `random`.\n"
    )


def _consensus(found: Mapping[str, Any]) -> Iterable[str]:
    yield CONSENSUS.format(**found)
    answers = "Loupe, at most two answers: answers an image"
    shares = {name: value for name, value in found.items() if name not in ("seeds", answers)}
    yield from _table(
        ("rule", "share of images"), ((name, _percent(value)) for name, value in shares.items())
    )
    yield f"Loupe asks for {found[answers]:.2f} answers an image.\n"


def _suspects(found: Mapping[str, Any]) -> Iterable[str]:
    yield SUSPECTS.format(**found)
    yield from _table(
        ("", "mean", "worst"),
        (
            (title, _percent(found[name]), _percent(found[f"worst {name}"]))
            for title, name in (
                ("listed images that are wrong (precision)", "precision"),
                ("wrong labels that are listed (recall)", "recall"),
            )
        ),
    )


def _drift(found: Mapping[str, Any]) -> Iterable[str]:
    windows, alarms = found["windows without a shift"], found["false alarms"]
    yield DRIFT.format(seeds=found["seeds"], windows=windows, alarms=alarms)
    yield from _table(
        ("shift", "accuracy falls by", "seen within 50 images", "images until it is seen"),
        (
            (
                name,
                f"{one['accuracy falls by']:.2f}",
                f"{one['seen within 50 images']} of {one['runs']}",
                "–" if one["mean delay"] is None else f"{one['mean delay']:.0f}",
            )
            for name, one in found["shifts"].items()
        ),
    )


def _accuracy(found: Mapping[str, Any]) -> Iterable[str]:
    yield ACCURACY.format(**found)
    changes = {name: one for name, one in found.items() if name != "seeds"}
    yield from _table(
        ("change", "", "truly right", "error, mean", "error, worst"),
        (
            (
                name,
                "small" if one["small"] else "large",
                _percent(one["accuracy"]),
                f"{one['error']:.3f}",
                f"{one['worst error']:.3f}",
            )
            for name, one in changes.items()
        ),
    )


def _photographs(found: Mapping[str, Any]) -> Iterable[str]:
    if "skipped" in found:
        yield f"## The local model on photographs\n\nNot measured: {found['skipped']}.\n"
        return
    yield PHOTOGRAPHS.format(**found)
    names = {
        "f1": "F1",
        "share_above_70": "answers above 70",
        "right_above_70": "right, of answers above 70",
        "foreign_above_70": "foreign images above 70",
    }
    yield from _table(
        ("", "on white", "on grounds that are photographs"),
        (
            (title, f"{found[name]:.3f}", f"{found['on_grounds'][name]:.3f}")
            for name, title in names.items()
        ),
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterable[str]:
    titles = tuple(head)
    yield f"| {' | '.join(titles)} |"
    yield f"|{' --- |' * len(titles)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
