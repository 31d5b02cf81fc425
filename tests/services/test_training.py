"""Business rule: one training at a time, each attempt written down before it is paid for."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from loupe.adapters.rekognition import DatasetState, VersionState
from loupe.adapters.table import save
from loupe.domain.comparison import Prediction
from loupe.domain.detection import Label
from loupe.domain.failures import Failure
from loupe.domain.manifest import ManifestEntry, parse, render
from loupe.domain.settings import Settings
from loupe.domain.versions import Service, VersionStatus
from loupe.errors import AlreadyDone, NotFound, ServiceFailed, ServiceRefused, TryAgain
from loupe.handlers.check_training import handler
from loupe.services.comparison import compare, return_champion, smoke_test
from loupe.services.labelled_images import reconcile
from loupe.services.serving import StateChange, promote, request_approval, set_state
from loupe.services.training import (
    TrainingCheck,
    check_training,
    close_training,
    start_due_check,
    train,
)
from loupe.services.training import TrainingEnd as Closing
from loupe.services.training_data import build_datasets, manifest_key
from tests.adapters.world import START, World, gone, unusable

SETTINGS = Settings.from_parameters({})


def checked(
    world: World,
    execution: str = "run 1",
    deploy: str = "",
    minimum: int = 4,
    again: bool = False,
) -> Any:
    settings = Settings.from_parameters({"Minimum-Untrained-Images": str(minimum)})
    return check_training(TrainingCheck(execution, settings, deploy, again), world.deps)


def fill(world: World) -> None:
    """Two labels with two pictures each: just enough to train."""
    for number in range(4):
        world.labelled("cat" if number % 2 else "dog", f"{number} ü.png", number)


def promoted(world: World, name: str, **more: Any) -> None:
    """A version that is in service."""
    world.version(name, arn=f"arn:{name}", **more)
    promote(name, "it is good", world.deps)
    world.rekognition.become(name, "RUNNING")


# Checking, under the lease


def test_a_check_with_enough_new_images_begins_an_attempt_and_keeps_the_lease(
    world: World,
) -> None:
    fill(world)

    plan = checked(world)

    version = world.deps.versions.get("v1")
    assert (plan.action, plan.version) == ("train", "v1")
    assert (version.status, version.labels) == (VersionStatus.TRAINING, ("cat", "dog"))
    assert world.deps.versions.progress().changes == 0
    assert world.deps.versions.lease_holder() == "run 1"


def test_a_check_with_too_little_gives_the_lease_back(world: World) -> None:
    plan = checked(world)

    assert plan.action == "nothing"
    assert world.deps.versions.lease_holder() == ""


def test_of_two_checks_at_once_only_one_trains(world: World) -> None:
    fill(world)
    world.executions.running = {"run 1", "run 2"}

    first, second = checked(world, "run 1"), checked(world, "run 2")

    assert first.action == "train"
    assert (second.action, second.reason) == (
        "nothing",
        "another training check is at work",
    )
    assert world.deps.versions.progress().attempts == 1


def test_a_check_that_loses_the_race_for_the_lease_does_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(world)
    monkeypatch.setattr(world.deps.versions, "lease_holder", lambda: "")
    world.deps.versions.take_lease("run 1", over="")

    assert checked(world, "run 2").action == "nothing"


def test_the_lease_of_a_run_that_is_dead_is_taken_over_and_its_attempt_goes_on(
    world: World,
) -> None:
    fill(world)
    checked(world, "dead run")

    plan = checked(world, "run 2")

    assert (plan.action, plan.version, plan.begins) == ("train", "v1", False)
    assert world.deps.versions.lease_holder() == "run 2"
    assert world.deps.versions.progress().attempts == 1


def test_a_repeated_check_of_the_same_run_goes_on_with_its_own_attempt(world: World) -> None:
    fill(world)

    first, again = checked(world), checked(world)

    assert first.version == again.version == "v1"
    assert world.deps.versions.progress().attempts == 1


def test_images_that_failed_the_gate_are_not_trained_on_again_until_there_are_new_ones(
    world: World,
) -> None:
    fill(world)
    checked(world)
    close_training(Closing("run 1", "v1", VersionStatus.BELOW_GATE, "too low", False), world.deps)

    assert checked(world, "run 2").action == "nothing"

    for number in range(10, 14):
        world.labelled("cat", f"{number}.png", number)

    assert checked(world, "run 3").version == "v2"


def test_a_rollback_is_planned_only_for_a_version_that_can_serve(world: World) -> None:
    promoted(world, "v1")
    promoted(world, "v2")
    world.version("v3", VersionStatus.TRAINING_FAILED)

    assert checked(world, deploy="v1").action == "deploy"
    assert "in service already" in checked(world, deploy="v2").reason
    assert "training_failed" in checked(world, deploy="v3").reason
    assert "no version 'v9'" in checked(world, deploy="v9").reason


def test_the_handler_speaks_json(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loupe.handlers.check_training.deps", lambda: world.deps)

    plan = handler({"execution": "run 1", "settings": {}, "deploy": ""}, None)

    assert plan["action"] == "nothing"
    assert plan["version"] == ""


# Datasets


def test_the_snapshot_holds_the_usable_images_of_the_trained_labels_only(world: World) -> None:
    fill(world)
    world.labelled("emu", "thin.png", 9)
    checked(world)

    built = build_datasets("v1", world.deps)

    train_set = parse(world.deps.objects.read(manifest_key("v1", "train")).decode())
    assert (built.training_images, built.holdout_images) == (2, 2)
    assert {entry.label for entry in train_set} == {"cat", "dog"}
    assert ("create", "train", "manifests/v1/train.manifest") in world.rekognition.calls
    assert ("create", "test", "manifests/v1/test.manifest") in world.rekognition.calls


def test_building_is_repeated_until_both_datasets_are_ready(world: World) -> None:
    fill(world)
    checked(world)

    assert build_datasets("v1", world.deps).status == "changing"
    assert build_datasets("v1", world.deps).status == "ready"

    world.rekognition.datasets["test"] = DatasetState("CREATE_IN_PROGRESS", "arn:test")
    assert build_datasets("v1", world.deps).status == "changing"


def test_images_that_come_during_a_training_do_not_change_its_snapshot(world: World) -> None:
    fill(world)
    checked(world)
    build_datasets("v1", world.deps)
    world.labelled("cat", "late.png", 20)

    assert build_datasets("v1", world.deps).training_images == 2
    assert len(parse(world.deps.objects.read(manifest_key("v1", "train")).decode())) == 2


def manifests(world: World, old: list[ManifestEntry], new: list[ManifestEntry]) -> None:
    """Given a dataset that holds `old`, and a version v2 that is to be trained on `new`."""
    for name, entries in (("v1", old), ("v2", new)):
        for split in ("train", "test"):
            body = render(entries if split == "train" else []).encode()
            world.deps.objects.write(manifest_key(name, split), body, "application/jsonl")
    world.version("v1", VersionStatus.REPLACED)
    world.version("v2", VersionStatus.TRAINING, training_images=len(new))
    for split in ("train", "test"):
        world.rekognition.datasets[split] = DatasetState("CREATE_COMPLETE", f"arn:{split}")
        world.deps.versions.mark_synced(split, "v1")


def entry(number: int, label: str = "cat") -> ManifestEntry:
    return ManifestEntry(
        f"s3://b/{number}.png", label, f"{number}", "uploaded", "2026-01-01T00:00:00.000Z"
    )


def test_a_dataset_that_only_grows_gets_only_what_is_new(world: World) -> None:
    manifests(world, [entry(1)], [entry(1), entry(2)])

    build_datasets("v2", world.deps)

    assert ("update", "arn:train", entry(2).line().encode() + b"\n") in world.rekognition.calls
    assert not [call for call in world.rekognition.calls if call[0] in ("create", "delete")]
    assert build_datasets("v2", world.deps).status == "ready"


def test_a_dataset_that_loses_an_image_is_made_anew(world: World) -> None:
    manifests(world, [entry(1), entry(2)], [entry(1)])

    steps = [build_datasets("v2", world.deps).status for _ in range(3)]

    calls = [call[:2] for call in world.rekognition.calls]
    assert calls == [("delete", "arn:train"), ("create", "train")]
    assert steps == ["changing", "changing", "ready"]


def test_more_than_one_update_can_carry_makes_the_dataset_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifests(world, [entry(1)], [entry(1), entry(2), entry(3)])
    monkeypatch.setattr("loupe.services.training_data.batches", lambda _: [b"one", b"two"])

    with monkeypatch.context() as patched:
        patched.setattr(world.rekognition, "datasets", dict(world.rekognition.datasets))
        build_datasets("v2", world.deps)

    calls = [call[0] for call in world.rekognition.calls]
    assert "update" not in calls
    assert ("delete", "arn:train") in world.rekognition.calls


def test_a_dataset_whose_snapshot_is_lost_is_made_anew(world: World) -> None:
    manifests(world, [entry(1)], [entry(1)])
    world.deps.versions.mark_synced("train", "v0")

    build_datasets("v2", world.deps)

    assert ("delete", "arn:train") in world.rekognition.calls


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("The manifest file contains too many invalid rows.", ServiceRefused),
        ("Amazon Rekognition experienced a service issue.", ServiceFailed),
    ],
)
def test_a_dataset_that_could_not_be_made_ends_the_step_with_the_services_reason(
    world: World, message: str, error: type[Exception]
) -> None:
    manifests(world, [entry(1)], [entry(1)])
    world.deps.versions.mark_synced("train", "v2")
    world.rekognition.datasets["train"] = DatasetState("CREATE_FAILED", "arn:train", message)

    with pytest.raises(error, match=message):
        build_datasets("v2", world.deps)

    assert ("delete", "arn:train") in world.rekognition.calls


def test_a_test_dataset_takes_a_thousand_images_and_the_rest_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [("test", entry(number, "cat" if number % 4 else "dog")) for number in range(1100)]
    monkeypatch.setattr(world.deps.dataset, "entries", lambda _: iter(many))
    world.version("v1", VersionStatus.TRAINING, reason="there is enough")

    build_datasets("v1", world.deps)

    tested = parse(world.deps.objects.read(manifest_key("v1", "test")).decode())
    version = world.deps.versions.get("v1")
    assert len(tested) == version.holdout_images == 1000
    assert sum(1 for image in tested if image.label == "dog") == 250
    assert "100 test images are left out" in version.reason


def test_datasets_of_a_version_that_exists_are_left_alone(world: World) -> None:
    world.version("v1", training_images=3, holdout_images=1)
    world.rekognition.become("v1", "TRAINING_IN_PROGRESS")

    assert build_datasets("v1", world.deps).status == "ready"
    assert world.rekognition.calls == []


# Training


def test_a_training_is_started_once_and_then_followed(world: World) -> None:
    world.version("v1", VersionStatus.TRAINING, training_images=3, reason="there is enough")

    statuses = [train("v1", world.deps).status for _ in range(2)]
    world.rekognition.become("v1", "TRAINING_COMPLETED", f1=0.9)
    done = train("v1", world.deps)

    assert statuses == ["training", "training"]
    assert (done.status, done.f1) == ("trained", 0.9)
    assert [call[0] for call in world.rekognition.calls] == ["train"]
    assert world.deps.versions.get("v1").f1 == 0.9
    assert len(world.events("TrainingStarted")) == 1


def test_a_training_that_fails_or_is_refused_says_why(world: World) -> None:
    world.version("v1", VersionStatus.TRAINING)
    world.rekognition.training_error = ServiceRefused("InvalidManifestException: no images")

    with pytest.raises(ServiceRefused, match="no images"):
        train("v1", world.deps)

    world.rekognition.states["v1"] = VersionState("TRAINING_FAILED", "arn:v1", "too few images")

    assert train("v1", world.deps).reason == "too few images"


# Running


def test_a_version_is_started_with_the_capacity_of_the_settings(world: World) -> None:
    world.version("v1")
    world.set(Minimum_Inference_Units="2", Maximum_Inference_Units="4")
    world.rekognition.become("v1", "TRAINING_COMPLETED")
    change = StateChange("v1", "RUNNING", "it is needed")

    assert set_state(change, world.deps).status == "changing"
    assert set_state(replace(change, started=True), world.deps).status == "changing"
    world.rekognition.become("v1", "RUNNING")
    assert set_state(replace(change, started=True), world.deps).status == "ready"

    assert world.rekognition.calls == [("start", "arn:v1", 2, 4)]
    assert "it is needed" in world.events("ModelStarted")[0]["text"]


def test_a_start_that_failed_is_reported_and_not_tried_for_ever(world: World) -> None:
    world.rekognition.states["v1"] = VersionState("FAILED", "arn:v1", "no capacity")
    change = StateChange("v1", "RUNNING", "why")

    assert set_state(replace(change, started=True), world.deps).reason == "no capacity"
    assert set_state(change, world.deps).status == "changing"


def test_a_version_that_is_gone_cannot_be_started(world: World) -> None:
    assert set_state(StateChange("v1", "RUNNING", "why"), world.deps).status == "failed"


@pytest.mark.parametrize(
    ("status", "said", "calls"),
    [
        ("RUNNING", "changing", [("stop", "arn:v1")]),
        ("STARTING", "changing", []),
        ("STOPPING", "changing", []),
        ("STOPPED", "ready", []),
        ("TRAINING_COMPLETED", "ready", []),
        ("FAILED", "ready", []),
    ],
)
def test_a_version_is_stopped_as_soon_as_the_service_lets_it(
    world: World, status: str, said: str, calls: list[tuple[str, str]]
) -> None:
    world.rekognition.become("v1", status)

    assert set_state(StateChange("v1", "STOPPED", "why"), world.deps).status == said
    assert world.rekognition.calls == calls


# Comparing


def holdout(world: World, name: str, images: int = 4) -> None:
    """The holdout of a version: cats and dogs by turns."""
    entries = [entry(n, "cat" if n % 2 == 0 else "dog") for n in range(images)]
    world.deps.objects.write(manifest_key(name, "test"), render(entries).encode(), "text/plain")


def sees(*wrong: str) -> Any:
    """A model that sees what is there, except the versions named, which see only cats."""

    def answer(arn: str, image: Any) -> tuple[Label, ...]:
        number = int(image.key.removesuffix(".png"))
        label = "cat" if number % 2 == 0 or arn in wrong else "dog"
        return (Label(label, 90.0),)

    return answer


def test_the_first_version_passes_and_its_scores_are_kept(world: World) -> None:
    world.version("v1", VersionStatus.TRAINING, arn="arn:v1")
    holdout(world, "v1")
    world.rekognition.answers = sees()

    found = compare("v1", SETTINGS, world.deps)

    version = world.deps.versions.get("v1")
    assert (found.status, found.passed, found.champion) == ("decided", True, "")
    assert version.comparison["challenger"]["f1"] == 1
    assert version.comparison["challenger"]["images"] == 4


def test_a_better_version_passes_and_a_worse_one_does_not(world: World) -> None:
    promoted(world, "v1")
    world.version("v2", VersionStatus.TRAINING, arn="arn:v2")
    holdout(world, "v2")

    world.rekognition.answers = sees("arn:v2")
    worse = compare("v2", SETTINGS, world.deps)

    assert (worse.passed, worse.champion) == (False, "v1")
    assert "does not beat" in worse.reason

    world.version("v3", VersionStatus.TRAINING, arn="arn:v3")
    holdout(world, "v3")
    better = compare("v3", SETTINGS, world.deps)

    assert better.passed
    comparison = world.deps.versions.get("v3").comparison
    assert comparison["champion_version"] == "v1"
    assert comparison["difference"] == 0
    assert comparison["interval"] == [0, 0]


def test_no_image_is_scored_twice(world: World) -> None:
    world.version("v1", VersionStatus.TRAINING, arn="arn:v1")
    holdout(world, "v1")
    world.rekognition.answers = sees()

    compare("v1", SETTINGS, world.deps)
    compare("v1", SETTINGS, world.deps)

    assert len(world.rekognition.calls) == 4


def test_a_champion_that_does_not_run_is_started_first_if_it_has_to_be_asked(
    world: World,
) -> None:
    promoted(world, "v1")
    world.rekognition.become("v1", "STOPPED")
    world.version("v2", VersionStatus.TRAINING, arn="arn:v2")
    holdout(world, "v2")
    world.rekognition.answers = sees()

    assert compare("v2", SETTINGS, world.deps).status == "champion_needed"

    for number in range(4):
        label = "cat" if number % 2 == 0 else "dog"
        world.deps.versions.save_prediction("v1", f"{number}", Prediction(label, 90.0))

    assert compare("v2", SETTINGS, world.deps).status == "decided"


def test_many_images_are_scored_call_by_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loupe.services.comparison.IMAGES_PER_CALL", 3)
    world.version("v1", VersionStatus.TRAINING, arn="arn:v1")
    holdout(world, "v1", 7)
    world.rekognition.answers = sees()

    statuses = [compare("v1", SETTINGS, world.deps).status for _ in range(3)]

    assert statuses == ["scoring", "scoring", "decided"]


def test_an_image_that_cannot_be_read_any_more_counts_as_not_recognised(world: World) -> None:
    world.version("v1", VersionStatus.TRAINING, arn="arn:v1")
    holdout(world, "v1")
    world.rekognition.answers = unusable

    compare("v1", SETTINGS, world.deps)

    assert world.deps.versions.predictions("v1")["0"] == Prediction(None, 0.0)
    assert world.deps.versions.get("v1").comparison["challenger"]["f1"] == 0


def test_a_busy_model_ends_the_step_and_keeps_what_it_said_already(world: World) -> None:
    world.version("v1", VersionStatus.TRAINING, arn="arn:v1")
    holdout(world, "v1")
    seen = sees()

    def busy(arn: str, image: Any) -> tuple[Label, ...]:
        if image.key == "3.png":
            raise TryAgain("slow down")
        answer: tuple[Label, ...] = seen(arn, image)
        return answer

    world.rekognition.answers = busy

    with pytest.raises(TryAgain):
        compare("v1", SETTINGS, world.deps)
    assert len(world.deps.versions.predictions("v1")) == 3


# Proving and approving


def test_the_smoke_test_asks_one_image_of_the_holdout(world: World) -> None:
    world.version("v1", VersionStatus.TRAINING, arn="arn:v1")
    holdout(world, "v1")
    world.rekognition.answers = sees()

    assert smoke_test("v1", world.deps) == "cat"

    world.rekognition.answers = gone
    with pytest.raises(NotFound):
        smoke_test("v1", world.deps)

    holdout(world, "v1", 0)
    with pytest.raises(ServiceRefused, match="no holdout image"):
        smoke_test("v1", world.deps)


def test_an_approval_is_asked_for_with_the_way_to_give_it(world: World) -> None:
    world.version("v1", VersionStatus.TRAINING, f1=0.9)

    request_approval("v1", "it beats the one in service", "token", world.deps)

    version = world.deps.versions.get("v1")
    assert (version.status, version.approval_token) == (VersionStatus.WAITING_FOR_APPROVAL, "token")
    assert "approval_token" not in version.as_json("")
    assert "loupe approve" in world.events("ApprovalRequested")[0]["text"]


# Promoting


def test_a_version_takes_over_and_the_previous_one_is_named(world: World) -> None:
    promoted(world, "v1")
    world.version("v2", VersionStatus.TRAINING, arn="arn:v2", f1=0.95)

    assert promote("v2", "better", world.deps) == "v1"

    service = world.deps.versions.service()
    assert (service.version, service.arn, service.previous) == ("v2", "arn:v2", "v1")
    assert world.deps.versions.get("v1").status == VersionStatus.REPLACED
    assert world.deps.versions.get("v2").status == VersionStatus.IN_SERVICE


def test_promoting_twice_switches_once(world: World) -> None:
    promoted(world, "v1")
    world.version("v2", VersionStatus.TRAINING, arn="arn:v2")

    assert [promote("v2", "better", world.deps) for _ in range(2)] == ["v1", "v1"]
    assert len(world.events("VersionPromoted")) == 2


@pytest.mark.parametrize("over", [Service(), Service("v9", "arn:v9")])
def test_a_switch_over_something_that_is_not_in_service_any_more_is_refused(
    world: World, over: Service
) -> None:
    promoted(world, "v1")
    version = world.version("v2", VersionStatus.TRAINING, arn="arn:v2")

    with pytest.raises(AlreadyDone):
        world.deps.versions.promote(version, over, "2026-01-01T00:00:00.000Z", "", [])

    assert world.deps.versions.service().version == "v1"


def test_an_earlier_version_is_put_back_in_the_same_way(world: World) -> None:
    promoted(world, "v1")
    promoted(world, "v2")

    promote("v1", "an operator asked for it", world.deps)

    assert world.deps.versions.service().version == "v1"
    assert world.deps.versions.get("v2").status == VersionStatus.REPLACED


# Going on by itself


def test_a_failed_attempt_is_taken_up_when_its_pause_is_over_and_nothing_else_is_at_work(
    world: World,
) -> None:
    fill(world)
    checked(world)
    fault = Failure("ConnectTimeoutError", "no answer")
    close_training(
        Closing("run 1", "v1", VersionStatus.FAILED, "it could not be compared", False, fault),
        world.deps,
    )
    assert not start_due_check(world.deps)

    world.deps.now += timedelta(minutes=15)
    world.deps.versions.take_lease("run 2", over="")
    world.executions.running = {"run 2"}
    assert not start_due_check(world.deps)

    world.executions.running = set()
    assert start_due_check(world.deps)
    assert world.executions.started == ["arn:improve"]


def test_what_was_decided_or_never_begun_starts_nothing(world: World) -> None:
    assert not start_due_check(world.deps)

    begun(world, "v1", "run 1")
    close_training(
        Closing("run 1", "v1", VersionStatus.NOT_BETTER, "it is worse", False), world.deps
    )

    assert not start_due_check(world.deps)


def lent(world: World) -> None:
    """Given a stopped champion that a comparison starts."""
    promoted(world, "v1")
    world.rekognition.become("v1", "STOPPED")
    manifest = render([entry(1)]).encode()
    world.deps.objects.write(manifest_key("v2", "test"), manifest, "application/jsonl")
    world.version("v2", arn="arn:v2")
    world.deps.versions.take_lease("run 1", over="")
    world.executions.running = {"run 1"}
    assert compare("v2", SETTINGS, world.deps).was_stopped
    world.rekognition.become("v1", "RUNNING")


def test_a_champion_whose_comparison_was_cut_off_is_stopped(world: World) -> None:
    lent(world)
    return_champion(world.deps)
    assert world.rekognition.version("v1").status == "RUNNING"

    world.executions.running = set()
    return_champion(world.deps)

    assert world.rekognition.version("v1").status == "STOPPING"


def test_a_champion_that_was_given_back_may_run_again(world: World) -> None:
    lent(world)
    world.rekognition.become("v1", "STOPPED")
    set_state(StateChange("v1", "STOPPED", "it ran for a comparison only"), world.deps)
    world.rekognition.become("v1", "RUNNING")
    world.executions.running = set()

    return_champion(world.deps)

    assert world.rekognition.version("v1").status == "RUNNING"


# Closing


def begun(world: World, name: str, execution: str) -> None:
    world.version(name, VersionStatus.TRAINING, f1=0.5)
    holder = world.deps.versions.lease_holder()
    world.deps.versions.take_lease(execution, over=holder)


def test_an_attempt_that_ends_is_written_told_and_gives_the_lease_back(world: World) -> None:
    begun(world, "v1", "run 1")

    close_training(
        Closing("run 1", "v1", VersionStatus.BELOW_GATE, "its F1 is too low", False), world.deps
    )

    version = world.deps.versions.get("v1")
    assert (version.status, version.reason) == (VersionStatus.BELOW_GATE, "its F1 is too low")
    assert world.deps.versions.lease_holder() == ""
    assert "its F1 is too low" in world.events("VersionNotPromoted")[0]["text"]


def test_closing_twice_counts_and_tells_once(world: World) -> None:
    begun(world, "v1", "run 1")

    for _ in range(2):
        close_training(
            Closing("run 1", "v1", VersionStatus.NOT_BETTER, "it is worse", False), world.deps
        )

    assert world.deps.versions.progress().not_promoted == 1
    assert len(world.events()) == 1


def test_a_failed_training_is_told_as_such(world: World) -> None:
    begun(world, "v1", "run 1")

    close_training(
        Closing("run 1", "v1", VersionStatus.TRAINING_FAILED, "too many invalid rows", False),
        world.deps,
    )

    assert "untouched" in world.events("TrainingFailed")[0]["text"]
    assert world.deps.versions.get("v1").status == VersionStatus.TRAINING_FAILED
    assert world.deps.versions.get("v1").retry_at == ""


def test_a_training_that_the_service_failed_at_is_repeated_with_the_same_data_after_a_pause(
    world: World,
) -> None:
    fill(world)
    checked(world)
    close_training(
        Closing("run 1", "v1", VersionStatus.TRAINING_FAILED, "a service issue", False), world.deps
    )

    assert world.deps.versions.get("v1").status == VersionStatus.TRAINING_FAILED
    assert world.deps.versions.progress().not_promoted == 0
    assert "0 labelled images" in checked(world, "run 2").reason

    world.deps.now += timedelta(minutes=15)
    plan = checked(world, "run 3")

    assert (plan.action, plan.version, plan.begins) == ("train", "v2", True)
    assert world.deps.versions.get("v2").failures == 1


def test_a_run_that_a_passing_fault_ended_goes_on_where_it_was(world: World) -> None:
    fill(world)
    checked(world)
    fault = Failure("ConnectTimeoutError", '{"errorMessage": "no answer", "errorType": "x"}')

    ending = close_training(
        Closing("run 1", "v1", VersionStatus.FAILED, "it could not be compared", False, fault),
        world.deps,
    )

    version = world.deps.versions.get("v1")
    assert ending.status == version.status == VersionStatus.TRAINING
    assert version.reason == "it could not be compared (ConnectTimeoutError: no answer)"
    assert "tried again after" in world.events("VersionNotPromoted")[0]["text"]
    assert "interrupted" in checked(world, "run 2").reason

    plan = checked(world, "run 3", again=True)

    assert (plan.action, plan.version, plan.begins) == ("train", "v1", False)


def test_after_three_in_a_row_the_operator_is_told_and_a_promotion_starts_afresh(
    world: World,
) -> None:
    for number in (1, 2, 3):
        begun(world, f"v{number}", f"run {number}")
        close_training(
            Closing(f"run {number}", f"v{number}", VersionStatus.REJECTED, "no", False), world.deps
        )

    assert "20 new labelled images" in world.events("PromotionsStalled")[0]["text"]

    begun(world, "v4", "run 4")
    close_training(Closing("run 4", "v4", VersionStatus.IN_SERVICE, "better", False), world.deps)

    assert world.deps.versions.progress().not_promoted == 0


def test_a_rollback_that_fails_leaves_the_version_as_it_was(world: World) -> None:
    promoted(world, "v1")
    world.deps.versions.take_lease("run 1", over="")

    close_training(
        Closing("run 1", "v1", VersionStatus.FAILED, "it does not start", True), world.deps
    )

    assert world.deps.versions.get("v1").status == VersionStatus.IN_SERVICE
    assert world.deps.versions.progress().not_promoted == 0
    assert world.deps.versions.lease_holder() == ""
    (told,) = world.events("VersionNotPromoted")
    assert "loupe rollback v1" in told["text"]
    assert told["detail"]["retry_at"] == ""


def test_a_rollback_that_worked_gives_the_lease_back(world: World) -> None:
    promoted(world, "v1")
    world.deps.versions.take_lease("run 1", over="")

    ending = close_training(
        Closing("run 1", "v1", VersionStatus.IN_SERVICE, "an operator asked", True), world.deps
    )

    assert ending.status == VersionStatus.IN_SERVICE
    assert world.deps.versions.lease_holder() == ""
    assert world.events("VersionNotPromoted") == []


def test_a_lease_that_is_somebody_elses_is_not_given_back(world: World) -> None:
    begun(world, "v1", "run 1")
    world.deps.versions.take_lease("run 2", over="run 1")

    close_training(
        Closing("run 1", "v1", VersionStatus.NOT_BETTER, "it is worse", False), world.deps
    )

    assert world.deps.versions.lease_holder() == "run 2"


def test_versions_are_listed_newest_first_and_an_unknown_one_is_named(world: World) -> None:
    for number in (1, 2):
        world.version(f"v{number}")

    assert {version.name for version in world.deps.versions.newest()} == {"v1", "v2"}
    with pytest.raises(NotFound, match="'v9'"):
        world.deps.versions.get("v9")


def test_a_snapshot_of_what_was_registered_leads_back_to_its_source(world: World) -> None:
    metadata = {"loupe-source": "cold-start", "loupe-reviewers": "1"}
    key = world.labelled("cat", "1.png", 1, **metadata)
    reconcile(key, world.deps)

    ((_, found),) = world.deps.dataset.entries("b")

    assert found.source == "cold start"
    assert parse(render([found])) == [found]
    assert found.at > f"{START:%Y-%m-%d}"


def test_a_table_without_progress_has_had_no_attempt(world: World) -> None:
    assert world.deps.versions.last_attempt() is None

    world.deps.table.write([save({"pk": "STATE", "sk": "PROGRESS", "changes": 3})])

    assert world.deps.versions.last_attempt() is None
    assert world.deps.versions.progress().changes == 3
