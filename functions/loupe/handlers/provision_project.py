"""Custom resource: the Rekognition project, made with the stack and taken apart with it."""

import time
from collections.abc import Mapping
from typing import Any

from loupe.adapters.cloudformation import Resource, answer
from loupe.adapters.rekognition import Rekognition, VersionState
from loupe.errors import TryAgain
from loupe.wiring import deps

POLL_SECONDS = 5
IN_USE = ("TRAINING_IN_PROGRESS", "STARTING", "STOPPING", "DELETING")


def handler(event: dict[str, Any], context: Any) -> None:
    """A CloudFormation request; the answer goes to its ResponseURL, a failure as a failure."""
    answer(event, context, provide)


def provide(event: Mapping[str, Any], context: Any) -> Resource:
    """Make or delete the project; its ARN is the physical id, and its name never changes."""
    if event["RequestType"] == "Create":
        name = event["ResourceProperties"]["ProjectName"]
        return Resource(Rekognition(deps().client("rekognition"), "").create_project(name))
    arn = str(event["PhysicalResourceId"])
    if event["RequestType"] == "Delete":
        delete(Rekognition(deps().client("rekognition"), arn), context)
    return Resource(arn)


def delete(rekognition: Rekognition, context: Any) -> None:
    """Stop and delete everything in the project, then the project: a running model bills."""
    while not take_apart(rekognition):
        if context.get_remaining_time_in_millis() < 2 * POLL_SECONDS * 1000:
            raise TimeoutError("the project is still busy; delete the stack again")
        time.sleep(POLL_SECONDS)


def take_apart(rekognition: Rekognition) -> bool:
    """One step; True when nothing is left."""
    if not rekognition.project_exists():
        return True
    versions = list(rekognition.versions())
    datasets = [rekognition.dataset(split) for split in ("train", "test")]
    for _, state in versions:
        _take_apart_version(rekognition, state)
    for dataset in datasets:
        if dataset.status and not dataset.status.endswith("IN_PROGRESS"):
            rekognition.delete_dataset(dataset.arn)
    if not versions and not any(dataset.status for dataset in datasets):
        try:
            rekognition.delete_project()
        except TryAgain:
            return False  # What was deleted a moment ago may still count as in use.
    return False


def _take_apart_version(rekognition: Rekognition, state: VersionState) -> None:
    if state.status == "RUNNING":
        rekognition.stop(state.arn)
    elif state.status not in IN_USE:
        rekognition.delete_version(state.arn)
