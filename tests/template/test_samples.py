"""Sample events are what functions really get, and their handlers take them."""

import importlib
import json
import re
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import Any

import pytest
from moto import mock_aws
from moto.moto_api._internal.models import moto_api_backend
from moto.sns.models import sns_backends

from loupe.adapters.publisher import Publisher
from loupe.adapters.table import save
from loupe.domain.detection import DetectionState, Label, ModelOutput
from loupe.domain.keys import ImageRef
from loupe.domain.labelled_images import Split
from loupe.domain.manifest import ManifestEntry, render
from loupe.domain.reports import parse_report
from loupe.domain.settings import Settings
from loupe.domain.versions import VersionStatus
from loupe.services.detection import receive, record
from loupe.services.payloads import image_from_json, output_from_json
from loupe.services.reviews import request_review
from loupe.services.serving import promote
from loupe.services.training_data import manifest_key
from tests.adapters.world import BUCKET, World, png
from tests.template.reading import (
    ROOT,
    STACK,
    handler_modules,
    properties,
    references,
    resources,
    template,
)
from tools.invoke.sample_data import NAME

SAMPLES = ROOT / "events"
MODULES = handler_modules()
LOCAL = "loupe-local"
ACCOUNT = "000000000000"
REGION = "us-east-1"
TOPIC = "Topic"
MACHINES = [
    json.loads((ROOT / machine["Properties"]["DefinitionUri"]).read_text())
    for machine in resources("AWS::Serverless::StateMachine").values()
]

every_module = pytest.mark.parametrize("module", sorted(MODULES.values()))


def text(module: str) -> str:
    """A sample as it stands in its file."""
    return (SAMPLES / f"{module}.json").read_text()


def sample(module: str, replaced: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A sample, with some of its names replaced by others."""
    found = text(module)
    for old, new in (replaced or {}).items():
        assert old in found, f"the sample of {module} does not speak of {old}"
        found = found.replace(old, new)
    return dict(json.loads(found))


def bodies(module: str) -> list[dict[str, Any]]:
    """The events that a queue's messages hold."""
    return [json.loads(record["body"]) for record in sample(module)["Records"]]


def fed_by(module: str, kind: str) -> list[dict[str, Any]]:
    """The event sources of a kind that call a function."""
    (name,) = [n for n, m in MODULES.items() if m == module]
    events = template()["Resources"][name]["Properties"].get("Events", {}).values()
    return [event["Properties"] for event in events if event["Type"] == kind]


def feeding(kind: str) -> list[str]:
    """Handler modules that an event source of a kind calls."""
    return sorted(module for module in MODULES.values() if fed_by(module, kind))


def tasks() -> Iterator[tuple[str, dict[str, Any]]]:
    """(handler module, payload) of every task that calls a function."""
    for machine in MACHINES:
        for state in machine["States"].values():
            arguments = state.get("Arguments", {})
            arn = arguments.get("FunctionName", state.get("Resource", ""))
            if found := re.fullmatch(r"\$\{(\w+)\}", arn):
                yield MODULES[found[1]], arguments.get("Payload", arguments)


CALLED_BY_MACHINES = sorted({module for module, _ in tasks()} - set(feeding("ScheduleV2")))


# What samples look like


@every_module
def test_a_sample_is_of_the_embedded_stack(module: str) -> None:
    arns = re.findall(r"arn:aws:[a-z0-9-]+:([a-z0-9-]*):(\d*):", text(module))

    assert all(region in ("", REGION) for region, _ in arns)
    assert all(account in ("", ACCOUNT) for _, account in arns)
    assert "/loupe/" not in text(module)


@every_module
def test_a_sample_names_the_bucket_as_cloudformation_does(module: str) -> None:
    assert "BucketName" not in properties("Bucket")

    for bucket in re.findall(rf"{LOCAL}-bucket[\w-]*", text(module)):
        assert re.fullmatch(rf"{LOCAL}-bucket-[a-z0-9]{{12}}", bucket)


@pytest.mark.parametrize("module", CALLED_BY_MACHINES)
def test_a_sample_has_the_fields_that_a_state_machine_sends(module: str) -> None:
    payloads = [set(payload) for called, payload in tasks() if called == module]

    assert set(sample(module)) in payloads


@pytest.mark.parametrize("module", [m for m in CALLED_BY_MACHINES if '"settings"' in text(m)])
def test_a_sample_has_the_settings_that_its_state_machine_reads(module: str) -> None:
    read = [
        {name.rpartition("/")[2] for name in m["States"]["Read settings"]["Arguments"]["Names"]}
        for m in MACHINES
        if "Read settings" in m["States"]
    ]

    assert set(sample(module)["settings"]) in read


@pytest.mark.parametrize("module", feeding("SQS"))
def test_a_sample_of_a_queue_is_a_batch_from_that_queue(module: str) -> None:
    (source,) = fed_by(module, "SQS")
    (queue,) = references(source["Queue"])

    assert 1 <= len(bodies(module)) <= source["BatchSize"]
    for each in sample(module)["Records"]:
        assert each["eventSourceARN"].split(":")[5].startswith(f"{LOCAL}-{queue}-")


def test_a_sample_of_a_report_is_one() -> None:
    (sent,) = sample("record_report")["Records"]

    assert parse_report(sent["body"]).label == "pallet"


@pytest.mark.parametrize("module", sorted(set(feeding("SQS")) - {"record_report"}))
def test_a_sample_of_a_queue_holds_what_its_rule_lets_through(module: str) -> None:
    (source,) = fed_by(module, "SQS")
    (queue,) = references(source["Queue"])
    (rule,) = [
        properties(name)["EventPattern"]
        for name in resources("AWS::Events::Rule")
        if queue in references(template()["Resources"][name])
        and properties(name)["EventPattern"]["source"] == ["aws.s3"]
    ]
    (prefix,) = [each["prefix"] for each in rule["detail"]["object"]["key"]]

    for body in bodies(module):
        assert body["source"] in rule["source"]
        assert body["detail-type"] in rule["detail-type"]
        assert body["detail"]["object"]["key"].startswith(prefix)


@pytest.mark.parametrize("module", feeding("DynamoDB"))
def test_a_sample_of_the_stream_passes_its_filter(module: str) -> None:
    (source,) = fed_by(module, "DynamoDB")
    (pattern,) = [json.loads(each["Pattern"]) for each in source["FilterCriteria"]["Filters"]]

    for each in sample(module)["Records"]:
        image = each["dynamodb"]["NewImage"]
        assert each["eventName"] in pattern["eventName"]
        assert image["list"]["S"] in pattern["dynamodb"]["NewImage"]["list"]["S"]
        assert each["dynamodb"]["Keys"] == {key: image[key] for key in ("pk", "sk")}


@pytest.mark.parametrize("module", [m for m in feeding("ScheduleV2") if m != "apply_settings"])
def test_a_sample_of_a_schedule_names_it(module: str) -> None:
    (source,) = fed_by(module, "ScheduleV2")
    found = sample(module)

    assert found["source"] == "aws.scheduler"
    assert found["resources"][0].endswith(
        "/" + source["Name"]["Fn::Sub"].replace("${AWS::StackName}", LOCAL)
    )


def test_the_sample_of_a_changed_setting_names_one() -> None:
    found = sample("apply_settings")
    (pattern,) = [
        source["Pattern"]
        for source in fed_by("apply_settings", "EventBridgeRule")
        if source["Pattern"]["source"] == ["aws.ssm"]
    ]
    names = {properties(n)["Name"] for n in resources("AWS::SSM::Parameter")}

    assert [found["source"]] == pattern["source"]
    assert [found["detail-type"]] == pattern["detail-type"]
    assert found["detail"]["name"].replace(f"/{LOCAL}/", f"/{STACK}/") in names


def test_the_sample_of_a_request_comes_by_a_route_that_asks_for_a_token() -> None:
    (authorized,) = [
        properties(name)
        for name in resources("AWS::ApiGatewayV2::Route")
        if properties(name)["AuthorizationType"] == "JWT"
    ]
    found = sample("serve_console")

    assert found["routeKey"] == found["requestContext"]["routeKey"] == authorized["RouteKey"]
    assert "claims" in found["requestContext"]["authorizer"]["jwt"]


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        ("provision_project", "Custom::RekognitionProject"),
        ("provision_flow", "Custom::ReviewFlow"),
        ("provision_team", "Custom::ReviewTeam"),
        ("stop_rounds", "Custom::Rounds"),
    ],
)
def test_the_sample_of_a_custom_resource_has_its_properties(module: str, kind: str) -> None:
    ((name, resource),) = resources(kind).items()
    found = sample(module)

    assert (found["LogicalResourceId"], found["ResourceType"]) == (name, kind)
    assert set(found["ResourceProperties"]) == set(resource["Properties"])


# What handlers make of them

Prepared = Mapping[str, str]
Prepare = Callable[[World], Prepared]
Check = Callable[[World, Any], None]


@pytest.fixture(scope="module")
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def world(_aws: None) -> World:
    moto_api_backend.reset()
    return World()


def image_of(module: str) -> ImageRef:
    """The image that a sample speaks of."""
    return ImageRef(**sample(module)["image"])


IMAGE = image_of("detect_labels")
NOTHING_FAILED: dict[str, list[Any]] = {"batchItemFailures": []}


def uploaded(world: World) -> ImageRef:
    """The samples' image, in the bucket of this world."""
    return world.put(IMAGE.key, png(1))


def arrived(world: World) -> Prepared:
    """The samples' image is in the bucket: S3 gave it another version."""
    return {IMAGE.bucket: BUCKET, IMAGE.version: uploaded(world).version}


def known(world: World) -> Prepared:
    """The image has a record, too."""
    image = uploaded(world)
    receive(image, "", world.deps)
    return {IMAGE.bucket: BUCKET, IMAGE.version: image.version}


def serving(world: World) -> Prepared:
    """A version answers, and the image is in the bucket."""
    in_service(world)
    world.rekognition.answers = lambda _arn, _image: (Label("crate", 93.27),)
    return arrived(world)


def in_service(world: World, name: str = "v3", status: str = "RUNNING") -> None:
    """A version that has been put into service."""
    world.version(name, arn=f"arn:{name}")
    promote(name, "it is good", world.deps)
    world.rekognition.become(name, status)


def reviewed(world: World) -> Prepared:
    """The image is in review."""
    asked = sample("request_review", known(world))
    image = image_from_json(asked["image"])
    settings = Settings.from_parameters(asked["settings"])
    answer = output_from_json(asked["answer"])
    request_review(image.id, answer, settings, world.deps)
    return {IMAGE.id: image.id}


def answered(world: World) -> Prepared:
    """A person has answered the review."""
    replaced = reviewed(world)
    (review,) = world.deps.reviews.unanswered()
    output = world.answered(review.id, "crate")
    before = bodies("record_review")[0]["detail"]["object"]
    key = before["key"].replace(IMAGE.id, replaced[IMAGE.id])
    return {
        **replaced,
        IMAGE.bucket: BUCKET,
        key: output.key,
        before["version-id"]: output.version,
    }


def sure(world: World) -> Prepared:
    """The model was sure of the image."""
    world.set(Labels="crate,pallet")
    image = uploaded(world)
    receive(image, "", world.deps)
    output = ModelOutput("labels", (Label("crate", 93.27),), "v3")
    record(image.id, DetectionState.ACCEPTED, output, "", world.deps)
    return {IMAGE.id: image.id}


def labelled(world: World) -> Prepared:
    """One image has come and another, which was registered, has gone."""
    came, went = (body["detail"]["object"]["key"] for body in bodies("register_image"))
    world.labelled(went.split("/")[1], went.split("/")[2], 2)
    world.remove(went)
    world.put(came, png(1))
    return {IMAGE.bucket: BUCKET}


def training(world: World) -> Prepared:
    """An attempt has begun."""
    world.version("v4", VersionStatus.TRAINING)
    return {}


def trained(world: World) -> Prepared:
    """A version rests, with one image held out."""
    world.version("v4", VersionStatus.TRAINING, arn="arn:v4")
    world.rekognition.become("v4", "STOPPED", 0.74)
    world.rekognition.answers = lambda _arn, _image: (Label("cat", 93.27),)
    entry = ManifestEntry(
        f"s3://{BUCKET}/cat.png", "cat", "0", "uploaded", "2026-01-01T00:00:00.000Z"
    )
    world.deps.objects.write(manifest_key("v4", Split.TEST), render([entry]).encode(), "text/plain")
    return {}


def challenging(world: World) -> Prepared:
    """A version stands beside the one in service."""
    in_service(world)
    return training(world)


def leased(world: World) -> Prepared:
    """The run of the sample holds the lease."""
    world.deps.versions.take_lease(sample("close_training")["execution"], over="")
    return training(world)


def due(world: World) -> Prepared:
    """The next detection is one to be sampled."""
    world.version("v1", VersionStatus.IN_SERVICE)
    world.accepted("a.png")
    state = {"pk": "STATE", "sk": "SAMPLING", "pointer": "", "carried": 999}
    world.deps.table.write([save(state)])
    return {}


def stopped(world: World) -> Prepared:
    """The model in service rests while an image waits."""
    in_service(world, status="STOPPED")
    return known(world) and {}


def scheduled(world: World) -> Prepared:
    """The schedules are as deployed, and a setting was changed."""
    for name in ("training", "sampling"):
        world.client("scheduler").create_schedule(
            Name=f"{STACK}-{name}",
            ScheduleExpression="rate(720 minutes)",
            State="ENABLED",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f", "RoleArn": "arn:role"},
        )
    world.set(Automatic_Training_Poll_Frequency="60")
    return {}


def subscribed(world: World) -> Prepared:
    """There is a topic to publish to."""
    topic = world.client("sns").create_topic(Name=TOPIC)["TopicArn"]
    publisher = Publisher(world.client("sns"), world.client("events"), topic, "default", STACK)
    world.use(publisher=publisher)
    return {}


class Provisioning:
    """Stands for the clients of `rekognition` and `sagemaker`: they make what they are asked."""

    def create_project(self, ProjectName: str) -> dict[str, str]:  # noqa: N803
        return {"ProjectArn": f"made {ProjectName}"}

    def create_human_task_ui(self, **request: Any) -> dict[str, str]:
        return {"HumanTaskUiArn": "page"}

    def create_flow_definition(self, **request: Any) -> None: ...

    def describe_flow_definition(self, FlowDefinitionName: str) -> dict[str, str]:  # noqa: N803
        arn = f"made {FlowDefinitionName}"
        return {"FlowDefinitionStatus": "Active", "FlowDefinitionArn": arn}

    def get_paginator(self, operation: str) -> "Provisioning":
        return self

    def paginate(self, **request: Any) -> list[Any]:
        return []

    def list_workforces(self) -> dict[str, list[Any]]:
        return {"Workforces": []}

    def create_workforce(self, **request: Any) -> None: ...

    def describe_workforce(self, **request: Any) -> dict[str, Any]:
        return {"Workforce": {"Status": "Active"}}

    def create_workteam(self, **request: Any) -> None: ...

    def describe_workteam(self, WorkteamName: str) -> dict[str, Any]:  # noqa: N803
        return {"Workteam": {"WorkteamArn": f"made {WorkteamName}", "SubDomain": "portal"}}


def empty(world: World) -> Prepared:
    """Nothing has happened yet."""
    vars(world.deps)["client"] = lambda _service: Provisioning()
    return {}


def gives(**wanted: Any) -> Check:
    """The handler's result has these fields."""

    def check(world: World, result: Any) -> None:
        assert {name: result[name] for name in wanted} == wanted

    return check


def tells(*kinds: str, result: Any) -> Check:
    """The handler's result, and the events that it wrote."""

    def check(world: World, got: Any) -> None:
        assert got == result
        assert [event["type"] for event in world.events() if event["type"] in kinds] == [*kinds]

    return check


def dispatched(world: World, result: Any) -> None:
    assert result == NOTHING_FAILED
    ((_, payload),) = world.executions.runs
    assert payload["image"]["key"] == IMAGE.key


def published(world: World, result: Any) -> None:
    assert result == NOTHING_FAILED
    account = world.client("sts").get_caller_identity()["Account"]
    (topic,) = sns_backends[account][REGION].topics.values()
    ((_, message, subject, attributes, _),) = topic.sent_notifications
    told = sample("publish_events")["Records"][0]["dynamodb"]["NewImage"]
    assert subject == told["subject"]["S"]
    assert json.loads(message)["email"] == told["text"]["S"]
    assert attributes is not None
    assert attributes["type"]["Value"] == told["type"]["S"]


def changed(world: World, result: Any) -> None:
    assert result["changed"] == ["training checks on, rate(60 minutes)"]
    schedule = world.client("scheduler").get_schedule(Name=f"{STACK}-training")
    assert schedule["ScheduleExpression"] == "rate(60 minutes)"


def not_enough(world: World, result: Any) -> None:
    assert result["action"] == "nothing"
    assert "10 are needed" in result["reason"]


def closed(world: World, result: Any) -> None:
    assert world.deps.versions.get("v4").status == "below_gate"
    assert world.deps.versions.lease_holder() == ""


def asked(world: World, result: Any) -> None:
    version = world.deps.versions.get("v4")
    assert version.status == "waiting_for_approval"
    assert version.approval_token == sample("request_approval")["token"]


def shown(world: World, result: Any) -> None:
    assert result["statusCode"] == 200
    assert json.loads(result["body"]) == {"name": "ann", "roles": ["operator", "reviewer"]}


def provided(world: World, result: Any) -> None:
    """Nothing is returned: CloudFormation is answered, which its own test looks at."""
    assert result is None


CASES: dict[str, tuple[Prepare, Check]] = {
    "dispatch_images": (arrived, dispatched),
    "detect_labels": (serving, gives(outcome="labels", top=93.27, version="v3")),
    "record_detection": (known, tells("ImageAccepted", result={"state": "accepted"})),
    "request_review": (known, tells("ImageSentToReview", result={"state": "review"})),
    "register_image": (
        labelled,
        tells("ExampleAdded", "ExampleAdded", "ExampleRemoved", result=NOTHING_FAILED),
    ),
    "answer_review": (reviewed, gives(state="closing")),
    "record_review": (answered, tells("ImageAnswered", result=NOTHING_FAILED)),
    "record_report": (sure, tells("ImageReported", result=NOTHING_FAILED)),
    "check_training": (lambda _world: {}, not_enough),
    "build_dataset": (training, gives(status="changing")),
    "train_model": (training, gives(status="training")),
    "set_model_state": (
        trained,
        tells("ModelStarted", result={"status": "changing", "reason": ""}),
    ),
    "compare_models": (trained, gives(status="decided", passed=True)),
    "request_approval": (trained, asked),
    "smoke_test": (trained, gives(answered="cat")),
    "promote_model": (challenging, gives(previous="v3")),
    "close_training": (leased, closed),
    "sample_reviews": (due, gives(sampled=1)),
    "housekeeping": (stopped, gives(action="start")),
    "apply_settings": (scheduled, changed),
    "publish_events": (subscribed, published),
    "serve_console": (lambda _world: {}, shown),
    "provision_project": (empty, provided),
    "provision_flow": (empty, provided),
    "provision_team": (empty, provided),
    "stop_rounds": (empty, provided),
}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What CloudFormation is told."""
    told: list[dict[str, Any]] = []

    def send(request: urllib.request.Request, timeout: float) -> BytesIO:
        assert isinstance(request.data, bytes)
        told.append({"url": request.full_url, **json.loads(request.data)})
        return BytesIO()

    monkeypatch.setattr(urllib.request, "urlopen", send)
    return told


def run(module: str, world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the handler makes of its sample in a world that is prepared for it."""
    prepare, _ = CASES[module]
    event = sample(module, prepare(world))
    code = importlib.import_module(f"loupe.handlers.{module}")
    monkeypatch.setattr(code, "deps", lambda: world.deps, raising=False)
    return code.handler(event, None)


def test_every_sample_is_tried() -> None:
    assert set(CASES) == set(MODULES.values())


@pytest.mark.parametrize("module", CASES)
def test_a_handler_takes_its_sample(
    module: str, world: World, monkeypatch: pytest.MonkeyPatch, answers: list[dict[str, Any]]
) -> None:
    result = run(module, world, monkeypatch)

    _, check = CASES[module]
    check(world, result)


@pytest.mark.parametrize(
    ("module", "identity", "attributes"),
    [
        ("provision_project", f"made {NAME}", []),
        ("provision_flow", f"{NAME}-review", ["FlowArn"]),
        ("provision_team", f"made {NAME}", ["Portal"]),
        ("stop_rounds", "rounds", []),
    ],
)
def test_cloudformation_is_told_that_its_request_was_done(
    module: str,
    identity: str,
    attributes: list[str],
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[dict[str, Any]],
) -> None:
    run(module, world, monkeypatch)

    (told,) = answers
    assert told["Status"] == "SUCCESS"
    assert told["PhysicalResourceId"] == identity
    assert list(told["Data"]) == attributes
    request = sample(module)
    assert told["url"] == request["ResponseURL"]
    assert (told["StackId"], told["RequestId"]) == (request["StackId"], request["RequestId"])
