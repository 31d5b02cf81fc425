"""The demo's story: few labelled images, a stream of new ones, people, and a better version."""

import os
import random
import shutil
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loupe.domain.comparison import Prediction
from loupe.domain.detection import DetectionState
from loupe.domain.manifest import parse
from loupe.domain.review import ReviewState
from loupe.services.review_answers import decide_conflict
from loupe_cli.deployment import deploy
from loupe_cli.render import out
from loupe_cli.target import EMBEDDED, ROOT, Target
from loupe_cli.uploads import image_files, labelled_files, send, wait_for
from loupe_local import stack as embedded
from tools.demo import photographs, pictures
from tools.demo.report import (
    Report,
    VersionScore,
    holdout_f1,
    leaks,
    share_below,
    truth_scores,
)

BUILD = ROOT / "build"
CONFIDENCE = 90
SETTINGS = {
    "Enable-Automatic-Training": "false",
    "Enable-Automatic-Human-Sampling": "false",
    "Holdout-Percent": "50",
    "Minimum-F1-Score": "0.7",
    "Minimum-Untrained-Images": "40",
    "Minimum-Label-Detection-Confidence": str(CONFIDENCE),
}
REVIEWERS = ("Ada", "Grace", "Katherine")
OPERATOR = "operator"
MISTAKES = 0.03
PATIENCE = 240


@dataclass
class Demo:
    """The running demo: its stack, its images, and what it has measured so far."""

    target: Target
    images: pictures.Pictures
    seconds: dict[str, float] = field(default_factory=dict)
    truth: dict[str, list[tuple[str, Prediction]]] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(11))

    @contextmanager
    def step(self, name: str, words: str) -> Iterator[None]:
        """Say what happens, and keep how long it took."""
        out.print(f"[bold]{words}[/]")
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 1)

    def train(self) -> str:
        """Run one training run; returns the version that is in service then."""
        execution = self.target.improve({})
        deps = self.target.deps
        wait_for(
            "Training, gating, comparing", 1, lambda: not deps.executions.is_running(execution), 300
        )
        service = deps.versions.service().version
        version = next(deps.versions.newest())
        out.print(f"  {version.name}: {version.status}. {version.reason}")
        return service

    def read(self, folder: Path, version: str) -> None:
        """Send a stream of images, and let people answer the unsure ones."""
        sent = send(image_files(folder).uploads, self.target)
        names = {upload.path.name for upload in sent}
        wait_for("Reading", len(names), lambda: self._count(names, waiting=False), PATIENCE)
        unsure = self.answer_reviews()
        wait_for("Taking in answers", len(names), lambda: self.taken_in(names), PATIENCE)
        out.print(f"  {len(names)} images read by {version}, {unsure} of them needed a person")

    def answer_reviews(self) -> int:
        """Three reviewers who know the truth, and err now and then, share the open reviews."""
        tasks = list(self.target.deps.reviews.unanswered())
        answers = [(review.id, self._answer(review.image.name)) for review in tasks]

        def work(numbered: tuple[int, tuple[str, str]]) -> None:
            number, (review, label) = numbered
            worker = REVIEWERS[number % len(REVIEWERS)]
            payload = {"review": review, "worker": worker, "label": label}
            answered = self.target.invoke("AnswerReviewFunction", payload)
            if "error" in answered:
                raise RuntimeError(answered["error"])

        with ThreadPoolExecutor(len(REVIEWERS)) as pool:
            list(pool.map(work, enumerate(answers)))
        return len(tasks)

    def taken_in(self, names: set[str]) -> int:
        """How many images have their answer. Meanwhile an operator decides where a person's answer
        speaks against what the model says.
        """
        deps = self.target.deps
        for review in list(deps.reviews.newest(ReviewState.CONFLICT)):
            decide_conflict(review.id, self.images.truth[review.image.name], OPERATOR, deps)
        return self._count(names, answered=True)

    def ask_unseen(self, version: str) -> None:
        """Ask the version in service about images that the loop never sees."""
        rekognition = self.target.client("rekognition")
        arn = self.target.deps.versions.get(version).arn

        def ask(path: Path) -> tuple[str, Prediction]:
            labels = rekognition.detect_custom_labels(
                ProjectVersionArn=arn, Image={"Bytes": path.read_bytes()}, MinConfidence=0
            )["CustomLabels"]
            top = max(labels, key=lambda label: label["Confidence"])
            return self.images.truth[path.name], Prediction(top["Name"], top["Confidence"])

        with ThreadPoolExecutor(4) as pool:
            self.truth[version] = list(pool.map(ask, self.images.unseen))

    def label(self, folder: Path, before: int) -> int:
        """Upload labelled images; returns how many the dataset has, which had `before`."""
        total = before + len(send(labelled_files(folder).uploads, self.target))
        self.registered(total)
        return total

    def registered(self, total: int) -> None:
        """Wait until `total` labelled images are in the dataset."""
        images = self.target.deps.dataset.labelled_images
        wait_for("Registering", total, lambda: sum(1 for _ in images()), PATIENCE)

    def report(self) -> Report:
        """Score every version on the final holdout and on the unseen images."""
        deps = self.target.deps
        versions = sorted(deps.versions.newest(), key=lambda version: version.at)
        last = versions[-1].name
        holdout = self._entries(last, "test")
        scores = []
        for version in versions:
            f1_truth, calibration = truth_scores(self.truth[version.name])
            scores.append(
                VersionScore(
                    name=version.name,
                    status=version.status,
                    f1=holdout_f1(holdout, deps.versions.predictions(version.name)),
                    f1_at_decision=version.f1 or 0.0,
                    f1_truth=f1_truth,
                    truth_images=len(self.truth[version.name]),
                    calibration_error=calibration,
                    training_images=version.training_images,
                    holdout_images=len(holdout),
                    needed_a_person=share_below(self.truth[version.name], CONFIDENCE),
                )
            )
        states = Counter(detection.state for detection in deps.detections.newest())
        uploaded = len(image_files(self.images.first_stream).uploads) + len(
            image_files(self.images.second_stream).uploads
        )
        return Report(
            versions=scores,
            images={
                "uploaded": uploaded,
                "accepted": states[DetectionState.ACCEPTED],
                "reviewed": states[DetectionState.ANSWERED],
                "lost": uploaded
                - states[DetectionState.ACCEPTED]
                - states[DetectionState.ANSWERED],
            },
            leaks=sum(self._leaks(version.name, last) for version in versions),
            seconds=self.seconds,
        )

    def _leaks(self, version: str, last: str) -> int:
        read = self.target.deps.objects.read
        bucket = f"s3://{self.target.outputs['BucketName']}/"
        training, holdout = (
            [read(entry.uri.removeprefix(bucket)) for entry in entries]
            for entries in (self._entries(version, "train"), self._entries(last, "test"))
        )
        return leaks(training, holdout)

    def _entries(self, version: str, split: str) -> list:  # type: ignore[type-arg]
        return parse(
            self.target.deps.objects.read(f"manifests/{version}/{split}.manifest").decode()
        )

    def _count(self, names: set[str], *, waiting: bool = True, answered: bool = False) -> int:
        detections = [d for d in self.target.deps.detections.newest() if d.image.name in names]
        if answered:
            return sum(
                1
                for d in detections
                if d.state not in (DetectionState.WAITING, DetectionState.REVIEW)
            )
        return sum(1 for d in detections if waiting or d.state != DetectionState.WAITING)

    def _answer(self, name: str) -> str:
        truth = self.images.truth[name]
        if self.chance.random() >= MISTAKES:
            return truth
        return self.chance.choice([str(digit) for digit in range(10) if str(digit) != truth])


def story(demo: Demo) -> None:
    """The loop, twice round."""
    for name, value in SETTINGS.items():
        demo.target.deps.parameters.set(name, value)
    with demo.step("labelled", "A few labelled images arrive."):
        labelled = demo.label(demo.images.labelled, 0)
    with demo.step("first_training", "A first version is trained on them."):
        first = demo.train()
    with demo.step("first_stream", "New images arrive; people answer the unsure ones."):
        demo.read(demo.images.first_stream, first)
        labelled += sum(1 for _ in demo.target.deps.detections.newest(DetectionState.ANSWERED))
        demo.registered(labelled)
        demo.ask_unseen(first)
    with demo.step("more_labelled", "The operator adds a few more labelled images."):
        demo.label(demo.images.more_labelled, labelled)
    with demo.step("second_training", "All of that trains a second version."):
        second = demo.train()
    with demo.step("second_stream", "It reads new images, and needs people less."):
        demo.read(demo.images.second_stream, second)
        if second != first:
            demo.ask_unseen(second)


def main() -> int:
    """Run the demo; 0 only if everything that it promises holds."""
    started = time.monotonic()
    home = BUILD / "demo-stack"
    shutil.rmtree(home, ignore_errors=True)
    os.environ["LOUPE_HOME"] = str(home)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "LOUPE_STACK"):
        os.environ.pop(name, None)
    demo = Demo(Target(EMBEDDED), pictures.write(BUILD / "demo"))
    try:
        with demo.step("setup", "The template is built and deployed on this machine."):
            deploy(embedded.start(home, free_port()), home)
        story(demo)
        report = demo.report()
    finally:
        embedded.stop(home)
    with demo.step("photographs", "A second act: the local model sees photographs."):
        act = photographs.perform()
        act.draw(BUILD / "demo-photographs.png")
        report.photographs.update(act.figures)
    report.seconds["total"] = round(time.monotonic() - started, 1)
    report.write(BUILD / "demo-report.json")
    report.plot(BUILD / "demo-report.png")
    report.show()
    out.print("The report is in build/demo-report.json, its plot in build/demo-report.png,")
    out.print("a sheet of the photographs in build/demo-photographs.png.")
    for failure in report.failures():
        out.print(f"[red]It does not hold that {failure}.[/]")
    return 1 if report.failures() else 0


def free_port() -> int:
    """A port that nobody uses just now, so that a running stack is not disturbed."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
