"""Domain events: what happened, to what, why, and what to do, in words for people.

Published once each to SNS and EventBridge (source `loupe`); docs/events.md lists them.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loupe.domain.keys import ImageRef, timestamp


@dataclass(frozen=True)
class Text:
    """The subject (at most 100 characters, SNS's limit) and text of an event type."""

    subject: str
    text: str


TEXTS: Mapping[str, Text] = {
    "ImageAccepted": Text(
        "{image}: {label}", "Model {version} found {labels} in {image}. Nothing to do."
    ),
    "ImageWaiting": Text(
        "{image} waits",
        "{image} waits to be read: {reason}. It keeps its place and is read as soon as it can be.",
    ),
    "ImageSentToReview": Text(
        "{image} needs a person",
        "{image} went to review: {reason}. A reviewer answers it with "
        "'loupe reviews answer {review} LABEL' or on the review page.",
    ),
    "ImageAnswered": Text(
        "{image}: {answer}", "People answered {image}: {answer}. {reason} Nothing to do."
    ),
    "ImageUnsure": Text(
        "{image}: unsure",
        "The model was unsure of {image}: {reason}. Human review is off, so it stays unsure; "
        "'loupe settings set Enable-A2I-Workflow true' switches review on.",
    ),
    "ImageRejected": Text("{image} cannot be used", "{image} was not read: {reason}."),
    "ImageFailed": Text(
        "{image} failed",
        "Reading {image} failed: {reason}. 'loupe replay' or the button Read again tries again; if "
        "it goes on, look at the log of the detect state machine.",
    ),
    "ExampleAdded": Text(
        "{image} is a labelled image",
        "{image} was registered with the label {label} for {split}. {reason}",
    ),
    "ExampleRemoved": Text(
        "{image} is no longer a labelled image",
        "{image} was removed from the dataset. The next training goes without it.",
    ),
    "ExampleRejected": Text(
        "{image} cannot be a labelled image", "{image} was not registered: {reason}."
    ),
    "LabelConflict": Text(
        "One picture, two labels: {image}",
        "{image} shows the same picture as {other}, under another label ({labels}). Neither is "
        "used until one label is chosen: decide it on the page Conflicts, or with "
        "'loupe reviews decide {review} LABEL'.",
    ),
    "LabelsNeeded": Text(
        "Loupe needs its first labels",
        "Images wait because no label is known yet. Name the labels with "
        "'loupe settings set Labels cat,dog', or upload labelled images, one folder a label.",
    ),
    "LabelSuggested": Text(
        "Is a label missing?",
        "Reviewers answered 'none of the above' {count} times, the last time for {image}. "
        "If these images have something in common, add a label for it: "
        "'loupe settings set Labels ...'.",
    ),
    "ReviewUnusable": Text(
        "An answer could not be used: {review}",
        "The answer in {key} was not used: {reason}. The review is open again where it can be.",
    ),
    "ReviewFailed": Text(
        "Nobody could answer for {image}",
        "The human loop of {image} ended without an answer: {reason}. {next}",
    ),
    "ReviewConflict": Text(
        "Reviewers disagree on {image}",
        "{image} got {answers}; no label is sure enough. Decide it on the page Conflicts, or "
        "with 'loupe reviews decide {review} LABEL'.",
    ),
    "ReviewsSettled": Text(
        "{version} settled {settled} waiting images",
        "{settled} waiting images were settled by {version}: it is sure of them, so nobody is "
        "asked. Nothing to do.",
    ),
    "QualityScored": Text(
        "Quality sample: {image}",
        "A person checked {image}: the model {version} said {guess}, the person said {answer}. "
        "{agreed} of {samples} samples of this version agree.",
    ),
    "ImageReported": Text(
        "{image}: is it {label}?",
        "{reason}: {image}. The model {version} said {label}. A reviewer answers it first, with "
        "'loupe reviews answer {review} LABEL' or on the review page.",
    ),
    "ReportAnswered": Text(
        "Reported answer: {image}",
        "People looked at {image}, which was reported: the model {version} said {guess}, people "
        "said {answer}. {confirmed} of {reports} reports about this version were right.",
    ),
    "ReportUnusable": Text(
        "A report could not be used: {image}",
        "{by} reported the answer to {image}, and nothing was changed: {reason}",
    ),
    "ReviewerUnreliable": Text(
        "{reviewer} is often wrong",
        "The answers of {reviewer} are right with a probability of {reliability}, below "
        "Minimum-Reviewer-Reliability ({minimum}). They count accordingly less. Look at the page "
        "Reviewers, or at 'loupe reviewers', and talk about the labels with {reviewer}.",
    ),
    "DriftSuspected": Text(
        "{version} may see other images than before",
        "Since {since}, {version} is not as sure of its answers as in {reference} (distance "
        "{distance}; by chance alone with a probability of {chance}). It says: {labels}. Look at "
        "{images}. If they are of a new kind, label some of them, and a training follows.",
    ),
    "TrainingStarted": Text(
        "Training {version} has started",
        "{version} is trained on {training_images} images, with {holdout_images} held out for "
        "testing: {reason}. Training takes 30 minutes to 24 hours.",
    ),
    "TrainingPostponed": Text("No training yet", "The training check found: {reason}."),
    "TrainingFailed": Text(
        "Training {version} failed",
        "{version}: {reason}. The model in service is untouched. {next}",
    ),
    "VersionNotPromoted": Text(
        "{version} was not promoted",
        "{version} (F1 {f1}) stays out of service: {reason}. The model in service is untouched. "
        "{next}",
    ),
    "ApprovalRequested": Text(
        "{version} waits for approval",
        "{version} (F1 {f1}) is good enough: {reason}. Put it into service with 'loupe approve', "
        "or reject it with 'loupe reject'.",
    ),
    "VersionPromoted": Text(
        "{version} is in service",
        "{version} (F1 {f1}) now answers: {reason}. It takes over from {previous}; "
        "'loupe rollback NAME' puts an earlier version of 'loupe models' back.",
    ),
    "PromotionsStalled": Text(
        "{count} versions in a row were not promoted",
        "The last {count} versions were not better than the one in service. From now on "
        "{needed} new labelled images are asked for before the next training. Look at the labels: "
        "'loupe models' says how each version did.",
    ),
    "ModelStarted": Text("Model {version} starts", "{version} is being started: {reason}. {bill}."),
    "ModelStopped": Text("Model {version} stops", "{version} is being stopped: {reason}. {bill}."),
    "ModelCannotStart": Text(
        "Model {version} cannot be started",
        "{version} did not start in {count} attempts: {reason}. Images wait until it runs. When "
        "the cause is removed, start it on the console's page Models; a change of "
        "Minimum-Inference-Units or Maximum-Inference-Units starts it as well.",
    ),
    "SettingsApplied": Text("Settings are in effect", "{reason}."),
}


@dataclass(frozen=True)
class Event:
    """One event. `id` is derived, so that a repeated delivery is the same event.

    `about` is the id of the image that it concerns, or "".
    """

    id: str
    type: str
    at: str
    subject: str
    text: str
    detail: Mapping[str, Any]
    about: str = ""


def make_event(kind: str, cause: str, at: datetime, *, about: str = "", **detail: Any) -> Event:
    """The event `kind`; `cause` makes it unique (an image's id, a version's name, ...)."""
    words = {name: _words(value) for name, value in detail.items()}
    texts = TEXTS[kind]
    subject = " ".join(texts.subject.format_map(words).split())
    return Event(
        id=hashlib.sha256(f"{kind}/{cause}".encode()).hexdigest()[:32],
        type=kind,
        at=timestamp(at),
        subject=_shorten(subject, 100),
        # A reason that is a whole sentence ends with a full stop of its own.
        text=re.sub(r"\.\.(?=\s|$)", ".", texts.text.format_map(words)),
        detail=detail,
        about=about,
    )


def image_event(kind: str, cause: str, at: datetime, image: ImageRef, /, **detail: Any) -> Event:
    """An event about an uploaded image, which is part of that image's history."""
    return make_event(kind, cause, at, about=image.id, image=image.name, **detail)


def _words(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, (list, tuple)):
        return ", ".join(_words(item) for item in value) or "nothing"
    if isinstance(value, dict) and "name" in value:
        confidence = value.get("confidence")
        return value["name"] if confidence is None else f"{value['name']} ({_words(confidence)} %)"
    return "nothing" if value in (None, "") else str(value)


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
