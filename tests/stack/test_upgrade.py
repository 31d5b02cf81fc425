"""What release 0.1.0 has exported is taken in by this one, and outlives a deployment over it."""

import json
from typing import Any

import pytest

from tests.stack.conftest import ROOT, Stack, deploy, loupe

pytestmark = pytest.mark.stack

EXPORT = ROOT / "tests/upgrade/released/0.1.0/export"


def lines(name: str) -> list[dict[str, Any]]:
    text = (EXPORT / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def sides(stack: Stack) -> dict[str, tuple[str, str]]:
    return {e.key: (e.label, e.split) for e in stack.deps.dataset.labelled_images("registered")}


def test_an_export_of_0_1_0_is_imported_deployed_over_and_trained(stack: Stack) -> None:
    exported = {r["key"]: (r["label"], r["split"]) for r in lines("labelled_images")}
    settings = json.loads((EXPORT / "settings.json").read_text(encoding="utf-8"))
    done = loupe(stack, "import", str(EXPORT))
    assert done.returncode == 0, done.stdout + done.stderr
    assert sides(stack) == exported

    deploy(stack, "OldVersionDays=30")

    assert sides(stack) == exported
    assert stack.deps.parameters.values().items() >= settings.items()
    past = {d.image.key for d in stack.detections()}
    assert past >= {r["image"]["key"] for r in lines("detections") if not r["file"]}
    imported = {v.name: v.status for v in stack.deps.versions.newest()}
    assert imported == {r["name"]: "imported" for r in lines("models")}
    stack.set(Minimum_Untrained_Images="1")
    assert stack.train()["status"] == "SUCCEEDED"
    service = stack.deps.versions.service().version
    assert service == f"v{len(imported) + 1}"
