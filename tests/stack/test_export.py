"""What a stack has learned moves to another: the same labels, sides and score."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.stack.conftest import Stack, deploy, loupe, until
from tests.stack.pictures import digits, drawn

pytestmark = pytest.mark.stack


def run(stack: Stack, *arguments: str) -> str:
    done = loupe(stack, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def sides(stack: Stack) -> dict[str, tuple[str, str, str, int]]:
    return {
        e.key: (e.label, e.split, e.source, e.reviewers)
        for e in stack.deps.dataset.labelled_images("registered")
    }


def holdout_f1(stack: Stack, name: str) -> float:
    return float(stack.deps.versions.get(name).f1 or 0)


def test_export_teardown_deploy_import_train_is_the_same(stack: Stack, tmp_path: Path) -> None:
    stack.set(Minimum_F1_Score="0", Labels="zero,one", Minimum_Untrained_Images="1")
    stack.put("images_for_detection/answered ü.png", digits()[1][90])
    review = until(lambda: next(iter(stack.open_reviews()), None), seconds=60)
    stack.answer(review.id, "one")
    for digit, label in ((3, "zero"), (8, "one")):
        for number in range(30):
            key = f"images_labeled_by_folder/{label}/a b+ü {number}.png"
            stack.put(key, digits()[digit][number])
    stack.put("images_labeled_by_folder/zero/a%2Fb/again.png", digits()[3][0])
    stack.registered(62)
    assert stack.train()["status"] == "SUCCEEDED"
    stack.put("images_for_detection/waits.png", drawn(4))
    stack.settled(["waits.png"], states=["review"])
    before, f1 = sides(stack), holdout_f1(stack, "v1")
    folder = tmp_path / "export"

    run(stack, "export", str(folder))
    assert "empty folder" in loupe(stack, "export", str(folder)).stderr
    run(stack, "teardown", "--yes")
    deploy(stack)
    run(stack, "import", str(folder))

    assert sides(stack) == before
    assert stack.deps.parameters.values()["Minimum-F1-Score"] == "0"
    listed = {d["image"]: d for d in json.loads(run(stack, "detections", "--json"))}
    assert (
        listed["answered ü.png"]["labels"][0]
        == {
            "name": "one",
            "confidence": 100.0,
            "by": "person",
            "box": None,
        }
        or listed["answered ü.png"]["labels"][0]["name"] == "one"
    )
    (model,) = json.loads(run(stack, "models", "--json"))
    assert (model["name"], model["status"]) == ("v1", "imported")
    assert "cannot be put into service" in loupe(stack, "rollback", "v1").stdout
    stack.settled(["waits.png"], states=["review"])

    assert stack.train()["status"] == "SUCCEEDED"
    assert sides(stack) == before
    assert holdout_f1(stack, "v2") == pytest.approx(f1, abs=0.01)
    assert "trained versions already" in loupe(stack, "import", str(folder)).stderr


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no folder that 'loupe export' has written"),
        ("{", "cannot be read"),
        ('{"format": 7, "stack": "x"}', "format 7"),
        ('{"format": 1, "stack": "x"}', "not whole"),
    ],
)
def test_a_folder_that_is_no_export_is_refused(
    stack: Stack, tmp_path: Path, content: str | None, says: str
) -> None:
    if content is not None:
        (tmp_path / "export.json").write_text(content)

    done = loupe(stack, "import", str(tmp_path))

    assert done.returncode == 1
    assert says in " ".join(done.stderr.split()) or "trained versions" in done.stderr


def test_the_original_workflows_bucket_and_settings_are_taken_over(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    s3, ssm = stack.client("s3"), stack.client("ssm")
    s3.create_bucket(Bucket="original")
    prefix = "images_labeled_by_folder"
    objects: dict[str, Any] = {
        f"{prefix}/seven/": b"",
        f"{prefix}/seven/deep/er/1.png": digits()[7][0],
        f"{prefix}/seven/humanLoopName-abc-2.png": digits()[7][1],
        f"{prefix}/stray.png": digits()[7][2],
        f"{prefix}/seven/notes.txt": b"no image",
        "manifests/old.json": b"{}",
    }
    for key, body in objects.items():
        s3.put_object(Bucket="original", Key=key, Body=body)
    for name, value in {
        "Minimum-Untrained-Images": "25",
        "Enable-A2I-Workflow": "True",
        "Minimum-F1-Score": "80",
        "For-System-Use-Only": "{}",
    }.items():
        ssm.put_parameter(Name=f"/old/{name}", Value=value, Type="String")

    shown = run(stack, "adopt", "s3://original", "--settings", "/old/")

    adopted = {key: s for key, s in sides(stack).items() if "/seven/" in key}
    assert {key.rpartition("/")[2]: (s[2], s[3]) for key, s in adopted.items()} == {
        "1.png": ("uploaded", 0),
        "humanLoopName-abc-2.png": ("reviewed", 1),
    }
    for passed in ("stray.png", "notes.txt", "Minimum-F1-Score"):
        assert passed in shown
    values = stack.deps.parameters.values()
    assert (values["Minimum-Untrained-Images"], values["Enable-A2I-Workflow"]) == ("25", "true")
    assert "cannot be listed" in loupe(stack, "adopt", "s3://nowhere").stderr
