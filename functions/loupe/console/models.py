"""The page Models: versions, how they did, and what the operator orders."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.adapters.rekognition import measures
from loupe.adapters.versions import Version
from loupe.console.access import OPERATOR, current_user, only
from loupe.console.requests import checked
from loupe.console.schema import Id, Switch
from loupe.domain.comparison import confusion, side_by_side
from loupe.domain.dataset import SPLITS, TEST, TRAIN
from loupe.domain.manifest import parse
from loupe.domain.running_hours import bill_text
from loupe.errors import NotFound
from loupe.handlers.build_dataset import manifest_key
from loupe.handlers.compare_models import holdout_of
from loupe.operations import decide_approval, switch_service
from loupe.wiring import Deps, deps

LOUPES_F1 = "Loupe's F1"
"""As opposed to Rekognition's own, which each version has on the test images of its time."""

router = Router()


@dataclass(frozen=True)
class Check:
    """Whether a failed training is taken up again at once."""

    again: Switch = False


@dataclass(frozen=True)
class Choice:
    """The version that an order is about."""

    version: Id


@router.get("/models", middlewares=only(OPERATOR))
def models() -> dict[str, Any]:
    """All versions, newest first."""
    service = deps().versions.service().version
    return {"items": [version.as_json(service) for version in deps().versions.newest()]}


@router.get("/models/<name>", middlewares=only(OPERATOR))
@checked(router)
def model(name: Id) -> dict[str, Any]:
    """One version: measures of every label, what it takes for what, and what it was trained on."""
    version = deps().versions.get(name)
    state = deps().rekognition.version(name)
    return {
        **version.as_json(deps().versions.service().version),
        "per_label": _per_label(name, deps()),
        "confusion": _confusion(version, deps()),
        "snapshot": _snapshot(name, deps()),
        "comparison": _comparison(version),
        "model_status": state.status,
    }


@router.get("/models/<name>/against/<older>", middlewares=only(OPERATOR))
@checked(router)
def against(name: Id, older: Id) -> dict[str, Any]:
    """Loupe's F1 of an older and a newer version on the test images that both were asked about."""
    left, right = deps().versions.get(older), deps().versions.get(name)
    found = side_by_side(
        holdout_of(name, deps()) if right.comparison else [],
        deps().versions.predictions(older),
        deps().versions.predictions(name),
        [label for label in right.labels if label in left.labels],
    )
    return asdict(found)


@router.post("/models/train", middlewares=only(OPERATOR))
@checked(router)
def train(body: Check) -> dict[str, Any]:
    """Check now whether to train; with `again`, take a failed training up at once."""
    deps().executions.start(deps().value("IMPROVE_MACHINE"), {"again": body.again})
    return {"message": "The check has begun. What it decides is on the page Activity."}


@router.post("/models/approve", middlewares=only(OPERATOR))
@checked(router)
def approve(body: Choice) -> dict[str, Any]:
    """Let the version that waits go into service."""
    version = decide_approval(True, current_user(router).name, deps(), body.version)
    return {"message": f"{version.name} was approved: it starts, is tried, and takes over."}


@router.post("/models/reject", middlewares=only(OPERATOR))
@checked(router)
def reject(body: Choice) -> dict[str, Any]:
    """Refuse the version that waits."""
    version = decide_approval(False, current_user(router).name, deps(), body.version)
    return {"message": f"{version.name} was refused and stays out of service."}


@router.post("/models/rollback", middlewares=only(OPERATOR))
@checked(router)
def roll_back(body: Choice) -> dict[str, Any]:
    """Put an earlier version back into service."""
    version = deps().versions.get(body.version)
    deps().executions.start(deps().value("IMPROVE_MACHINE"), {"deploy": version.name})
    return {
        "message": f"{version.name} is started, tried, and takes over. That takes some minutes."
    }


@router.post("/models/start", middlewares=only(OPERATOR))
def start() -> dict[str, Any]:
    """Start the version in service."""
    switch_service(True, current_user(router).name, deps())
    return {"message": f"The model starts. {bill_text(deps().is_billed)}."}


@router.post("/models/stop", middlewares=only(OPERATOR))
def stop() -> dict[str, Any]:
    """Stop the version in service."""
    switch_service(False, current_user(router).name, deps())
    return {"message": "The model stops. The next image that waits for it starts it again."}


def _per_label(name: str, deps: Deps) -> list[dict[str, Any]]:
    """The service's own evaluation, label by label."""
    key = deps.rekognition.version(name).evaluation
    return [asdict(found) for found in measures(deps.objects.read(key))] if key else []


def _confusion(version: Version, deps: Deps) -> dict[str, Any] | None:
    """What it said of the holdout, if it was ever asked."""
    predictions = deps.versions.predictions(version.name)
    if not predictions:
        return None
    counts = confusion(holdout_of(version.name, deps), predictions, version.labels)
    return {"labels": list(version.labels), "counts": counts}


def _snapshot(name: str, deps: Deps) -> list[dict[str, Any]]:
    counts: dict[str, Counter[str]] = {}
    for split in SPLITS:
        try:
            manifest = deps.objects.read(manifest_key(name, split)).decode()
        except NotFound:
            return []
        counts[split] = Counter(entry.label for entry in parse(manifest))
    labels = sorted(counts[TRAIN] | counts[TEST])
    return [
        {"label": label, "train": counts[TRAIN][label], "test": counts[TEST][label], "thin": ""}
        for label in labels
    ]


def _comparison(version: Version) -> list[dict[str, str]]:
    """The comparison in words, or nothing when the version never got that far."""
    found = version.comparison
    if not found:
        return []
    new, scores = found["challenger"], compared(version)
    lines = {
        f"{LOUPES_F1} of {scores[-1]['name']} on {images_compared(version)} test images": (
            f"{scores[-1]['f1']:.3f}"
        )
    }
    if len(scores) > 1:
        lines[f"{LOUPES_F1} of {scores[0]['name']} on the same images"] = f"{scores[0]['f1']:.3f}"
        lines["Difference"] = f"{found['difference']:+.3f}"
    lines["Answered without a person"] = _percent(new["accepted_share"])
    lines["Right, of what is answered without a person"] = _percent(new["accepted_accuracy"])
    if interval := found["interval"]:
        low, high = interval
        proven = "" if low > 0 or high < 0 else ", so it may be chance"
        lines["With 90 % certainty the difference lies in"] = f"{low:+.3f} to {high:+.3f}{proven}"
    return [{"name": name, "value": value} for name, value in lines.items()]


def compared(version: Version) -> list[dict[str, Any]]:
    """Loupe's F1 of the version then in service, if there was one, and of `version`, last.

    Both are measured on the same images, over the labels that both know.
    """
    found = version.comparison
    if not found:
        return []
    if not found.get("f1"):
        return [{"name": version.name, "f1": found["challenger"]["f1"]}]
    new, old = found["f1"]
    return [
        {"name": found["champion_version"], "f1": old},
        {"name": version.name, "f1": new},
    ]


def images_compared(version: Version) -> int:
    """On how many test images `compared` is measured."""
    found = version.comparison
    return int(found.get("images") or found["challenger"]["images"]) if found else 0


def _percent(share: float | None) -> str:
    return "nothing was" if share is None else f"{100 * share:.0f} %"
