"""Custom resource: the Rekognition project, created and deleted with the stack."""

import time
from typing import Any

from loupe.adapters.cloudformation import CustomResource, Request
from loupe.adapters.rekognition import Rekognition, VersionState
from loupe.domain.model_state import ModelStatus
from loupe.domain.stack_name import check_stack_name
from loupe.errors import NotFound, TryAgain
from loupe.services.custom_resources.requests import Unfinished, is_late
from loupe.wiring import Deps

POLL_SECONDS = 5
IN_USE = ("TRAINING_IN_PROGRESS", "STARTING", "STOPPING", "DELETING", "COPYING_IN_PROGRESS")


def provide(request: Request, context: Any, deps: Deps) -> CustomResource:
    """Create or delete the project; its ARN is the physical id, and its name never changes.

    Every other function depends on the project, so this is where a bad stack name fails.
    """
    if request["RequestType"] == "Delete":
        arn = str(request["PhysicalResourceId"])
        delete(deps.project(arn), context)
        return CustomResource(arn)
    properties = request["ResourceProperties"]
    check_stack_name(
        properties["ProjectName"],
        uses_a2i=properties["HumanReview"] == "a2i",
        makes_team=properties["MakesTeam"] == "true",
    )
    if request["RequestType"] == "Update":
        return CustomResource(str(request["PhysicalResourceId"]))
    return CustomResource(deps.project("").create_project(properties["ProjectName"]))


def delete(rekognition: Rekognition, context: Any) -> None:
    """Stop and delete everything in the project, then the project itself.

    Raises Unfinished when that takes longer than this invocation.
    """
    while obstacle := take_apart(rekognition):
        if is_late(context):
            raise Unfinished(
                f"Not everything could be deleted yet: {obstacle}. A model that starts cannot be "
                "stopped for up to 30 minutes, a training for up to a day. Delete the stack again "
                "then; everything else of it is stopped."
            )
        time.sleep(POLL_SECONDS)


def take_apart(rekognition: Rekognition) -> str:
    """One step; returns what still blocks the deletion, "" when nothing is left."""
    try:
        return _step(rekognition)
    except (TryAgain, NotFound) as error:
        return str(error)  # A resource may count as in use for a moment after its deletion.


def _step(rekognition: Rekognition) -> str:
    if not rekognition.project_exists():
        return ""
    versions = list(rekognition.versions())
    datasets = {split: rekognition.dataset(split) for split in ("train", "test")}
    for _, version in versions:
        _take_apart_version(rekognition, version)
    for dataset in datasets.values():
        if dataset.status and not dataset.status.endswith("IN_PROGRESS"):
            rekognition.delete_dataset(dataset.arn)
    obstacles = [f"version {name} is {version.status}" for name, version in versions]
    obstacles += [f"its {split} dataset is {d.status}" for split, d in datasets.items() if d.status]
    if not obstacles:
        rekognition.delete_project()
    return ", ".join(obstacles) or "the project is being deleted"


def _take_apart_version(rekognition: Rekognition, state: VersionState) -> None:
    if state.status == ModelStatus.RUNNING:
        rekognition.stop(state.arn)
    elif state.status not in IN_USE:
        rekognition.delete_version(state.arn)
