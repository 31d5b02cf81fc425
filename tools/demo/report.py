"""The demo's report: scores, a table, a plot, and what must hold."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import matplotlib as mpl

from loupe.domain.alignment import same_picture
from loupe.domain.comparison import Prediction, macro_f1
from loupe.domain.fingerprint import Fingerprint, fingerprint
from loupe.domain.manifest import ManifestEntry
from loupe_cli.render import out, show_table

TRUTH_MARGIN = 0.07


@dataclass(frozen=True)
class VersionScore:
    """One version. `f1` is on the final holdout; `f1_truth`, `calibration_error` and
    `needed_a_person` (a share) are on the same images that the loop never saw.
    """

    name: str
    status: str
    f1: float
    f1_at_decision: float
    f1_truth: float
    truth_images: int
    calibration_error: float
    training_images: int
    holdout_images: int
    needed_a_person: float


@dataclass(frozen=True)
class Report:
    """What `build/demo-report.json` holds."""

    versions: list[VersionScore]
    images: dict[str, int]
    leaks: int
    seconds: dict[str, float]
    photographs: dict[str, int] = field(default_factory=dict)
    """Counts of the second act: see `photographs.Act.figures`."""

    def failures(self) -> list[str]:
        """What should hold and does not, for people."""
        first, last = self.versions[0], self.versions[-1]
        checks = {
            "two versions were trained": len(self.versions) >= 2,
            "the last version is in service": last.status == "in_service",
            "the last version is better than the first": last.f1 > first.f1,
            "the holdout tells the truth": abs(last.f1 - last.f1_truth) <= TRUTH_MARGIN,
            "no image was lost": self.images["lost"] == 0,
            "no holdout image was trained on": self.leaks == 0,
            "nine of ten accepted photographs are right": self.photographs["accepted_right"]
            >= 0.9 * self.photographs["accepted"],
            "at most one foreign photograph is accepted": self.photographs["foreign_accepted"] <= 1,
        }
        return [rule for rule, holds in checks.items() if not holds]

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    def show(self) -> None:
        """The table that ends the demo."""
        out.print()
        show_table(
            [
                "version",
                "status",
                "F1 holdout",
                "F1 unseen",
                "calibr. error",
                "trained on",
                "for people",
            ],
            (
                (
                    v.name,
                    v.status,
                    v.f1,
                    v.f1_truth,
                    v.calibration_error,
                    v.training_images,
                    f"{v.needed_a_person:.0%}",
                )
                for v in self.versions
            ),
            "",
        )
        out.print(
            f"\n{self.images['uploaded']} images uploaded, {self.images['accepted']} accepted by "
            f"the model, {self.images['reviewed']} by people, {self.images['lost']} lost; "
            f"{self.seconds['total']:.0f} seconds."
        )
        seen = self.photographs
        out.print(
            f"Of {seen['images']} photographs the model accepted {seen['accepted']}, "
            f"{seen['accepted_right']} of them rightly; of {seen['foreign']} of other things, on "
            f"the same grounds, {seen['foreign_accepted']}."
        )

    def plot(self, path: Path) -> None:
        """F1 and the share of images that needed a person, per version."""
        mpl.use("Agg")
        from matplotlib import pyplot  # noqa: PLC0415 - after the backend is chosen

        names = [v.name for v in self.versions]
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.6))
        left.plot(names, [v.f1 for v in self.versions], "o-", label="final holdout")
        left.plot(names, [v.f1_truth for v in self.versions], "s--", label="images never seen")
        left.set_title("Macro F1")
        left.legend()
        right.bar(names, [100 * v.needed_a_person for v in self.versions], color="tab:orange")
        right.set_title("Images that needed a person (%)")
        figure.tight_layout()
        figure.savefig(path, dpi=120)
        pyplot.close(figure)


def holdout_f1(holdout: Sequence[ManifestEntry], predictions: dict[str, Prediction]) -> float:
    """Macro F1 of the top label on the holdout."""
    pairs = [(image.label, predictions[image.content].label) for image in holdout]
    return macro_f1(pairs, sorted({image.label for image in holdout}))


def truth_scores(answers: Sequence[tuple[str, Prediction]]) -> tuple[float, float]:
    """(macro F1, expected calibration error) of (true label, prediction) pairs."""
    labels = sorted({true for true, _ in answers})
    f1 = macro_f1([(true, prediction.label) for true, prediction in answers], labels)
    bins: dict[int, list[tuple[float, bool]]] = {}
    for true, prediction in answers:
        confidence = prediction.confidence / 100
        bins.setdefault(min(int(confidence * 10), 9), []).append(
            (confidence, true == prediction.label)
        )
    error = sum(
        abs(sum(c for c, _ in pairs) - sum(right for _, right in pairs)) for pairs in bins.values()
    )
    return f1, error / len(answers)


def share_below(answers: Sequence[tuple[str, Prediction]], confidence: float) -> float:
    """The share of images that a person would be asked about."""
    return sum(prediction.confidence < confidence for _, prediction in answers) / len(answers)


def leaks(training: Sequence[bytes], holdout: Sequence[bytes]) -> int:
    """How many holdout images show the same picture as one that was trained on."""
    by_band: dict[str, list[Fingerprint]] = {}
    for seen in map(fingerprint, training):
        for band in seen.bands:
            by_band.setdefault(band, []).append(seen)
    return sum(_is_known(held, by_band) for held in map(fingerprint, holdout))


def _is_known(held: Fingerprint, by_band: dict[str, list[Fingerprint]]) -> bool:
    near = {seen.content: seen for band in held.bands for seen in by_band.get(band, ())}
    return any(same_picture(held.signature, seen.signature) for seen in near.values())
