"""The page Models: versions, how they did, and what the operator orders."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from loupe.adapters.rekognition import measures
from loupe.adapters.versions import Version
from loupe.console.access import OPERATOR, current_user, only
from loupe.console.requests import body, text
from loupe.domain.comparison import confusion
from loupe.domain.dataset import SPLITS, TEST, TRAIN
from loupe.domain.manifest import parse
from loupe.errors import NotFound
from loupe.handlers.build_dataset import manifest_key
from loupe.handlers.compare_models import holdout_of
from loupe.operations import decide_approval, switch_service
from loupe.wiring import Deps, deps

router = Router()


@router.get("/models", middlewares=only(OPERATOR))
def models() -> dict[str, Any]:
    """All versions, newest first."""
    service = deps().versions.service().version
    return {"items": [version.as_json(service) for version in deps().versions.newest()]}


@router.get("/models/<name>", middlewares=only(OPERATOR))
def model(name: str) -> dict[str, Any]:
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


@router.post("/models/train", middlewares=only(OPERATOR))
def train() -> dict[str, Any]:
    """Check now whether to train; with `again`, take a failed training up at once."""
    again = body(router).get("again") is True
    deps().executions.start(deps().value("IMPROVE_MACHINE"), {"again": again})
    return {"message": "The check has begun. What it decides is on the page Activity."}


@router.post("/models/approve", middlewares=only(OPERATOR))
def approve() -> dict[str, Any]:
    """Let the version that waits go into service."""
    version = _decide(True)
    return {"message": f"{version.name} was approved: it starts, is tried, and takes over."}


@router.post("/models/reject", middlewares=only(OPERATOR))
def reject() -> dict[str, Any]:
    """Refuse the version that waits."""
    return {"message": f"{_decide(False).name} was refused and stays out of service."}


@router.post("/models/rollback", middlewares=only(OPERATOR))
def roll_back() -> dict[str, Any]:
    """Put an earlier version back into service."""
    name = text(body(router), "version")
    deps().versions.get(name)
    deps().executions.start(deps().value("IMPROVE_MACHINE"), {"deploy": name})
    return {"message": f"{name} is started, tried, and takes over. That takes some minutes."}


@router.post("/models/start", middlewares=only(OPERATOR))
def start() -> dict[str, Any]:
    """Start the version in service."""
    switch_service(True, current_user(router).name, deps())
    return {"message": "The model starts. It is billed by the hour while it runs."}


@router.post("/models/stop", middlewares=only(OPERATOR))
def stop() -> dict[str, Any]:
    """Stop the version in service."""
    switch_service(False, current_user(router).name, deps())
    return {"message": "The model stops. The next image that waits for it starts it again."}


def _decide(approved: bool) -> Version:
    by = current_user(router).name
    return decide_approval(approved, by, deps(), text(body(router), "version"))


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
    new, old = found["challenger"], found.get("champion")
    lines = {
        f"Score of {version.name} on {new['images']} held out images": f"{new['f1']:.3f}",
        "Answered without a person": _percent(new["accepted_share"]),
        "Right, of what is answered without a person": _percent(new["accepted_accuracy"]),
    }
    if old:
        champion = found["champion_version"]
        lines[f"Score of {champion} on the same images"] = f"{old['f1']:.3f}"
        lines["Difference"] = f"{found['difference']:+.3f}"
    if interval := found["interval"]:
        low, high = interval
        proven = "" if low > 0 or high < 0 else ", so it may be chance"
        lines["With 90 % certainty the difference lies in"] = f"{low:+.3f} to {high:+.3f}{proven}"
    return [{"name": name, "value": value} for name, value in lines.items()]


def _percent(share: float | None) -> str:
    return "nothing was" if share is None else f"{100 * share:.0f} %"
