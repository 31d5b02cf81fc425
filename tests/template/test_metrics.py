"""Alarms and dashboard name metrics with their dimensions: those that functions really print."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from moto import mock_aws
from moto.moto_api._internal.models import moto_api_backend

from loupe.domain.events import TEXTS
from loupe.handlers import housekeeping, publish_events
from tests.adapters.world import World
from tests.template.reading import STACK, everything, properties, resolved, resources, template

NAMESPACE = "Loupe"
Metric = tuple[str, tuple[tuple[str, str], ...]]
"""A metric's name and its dimensions."""


@pytest.fixture(scope="module")
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def world(_aws: None, monkeypatch: pytest.MonkeyPatch) -> World:
    """A stack in memory whose functions have the environment that the template gives them."""
    moto_api_backend.reset()
    world = World()
    declared = template()["Globals"]["Function"]["Environment"]["Variables"]
    for name, value in resolved(declared, {}).items():
        if isinstance(value, str):
            monkeypatch.setenv(name, value)
    for module in (housekeeping, publish_events):
        monkeypatch.setattr(module, "deps", lambda: world.deps)
    return world


class Quiet:
    """A publisher that reaches nobody."""

    def publish(self, event: dict[str, Any]) -> None: ...


def stream_record(kind: str) -> dict[str, Any]:
    """An event as the table's stream brings it."""
    item = {"id": "1", "type": kind, "at": "", "subject": "", "text": "", "detail": {}}
    image = {name: TypeSerializer().serialize(value) for name, value in item.items()}
    return {"eventName": "INSERT", "dynamodb": {"SequenceNumber": kind, "NewImage": image}}


@pytest.fixture
def printed(world: World, capsys: pytest.CaptureFixture[str]) -> set[Metric]:
    """The metrics in what functions print: the housekeeping, and every type of event."""
    world.use(publisher=Quiet())
    housekeeping.handler({}, None)
    publish_events.handler({"Records": [stream_record(kind) for kind in TEXTS]}, None)
    return set(metrics(capsys.readouterr().out))


def metrics(output: str) -> Iterator[Metric]:
    """The metrics that CloudWatch takes from these lines (embedded metric format)."""
    for line in map(json.loads, output.splitlines()):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            assert directive["Namespace"] == NAMESPACE
            for names in directive["Dimensions"]:
                dimensions = tuple(sorted((name, line[name]) for name in names))
                yield from ((metric["Name"], dimensions) for metric in directive["Metrics"])


def watched() -> dict[str, Metric]:
    """`{alarm: metric}` of the alarms on Loupe's own metrics."""
    return {
        name: (p["MetricName"], tuple(sorted((d["Name"], d["Value"]) for d in p["Dimensions"])))
        for name in resources("AWS::CloudWatch::Alarm")
        if (p := properties(name))["Namespace"] == NAMESPACE
    }


def shown() -> Iterator[Metric]:
    """Loupe's own metrics on the dashboard; `.` repeats what the row above has there."""
    body = everything()["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    for widget in json.loads(body.replace("${AWS::StackName}", STACK))["widgets"]:
        above: list[str] = []
        for row in widget["properties"].get("metrics", ()):
            row = [above[n] if cell == "." else cell for n, cell in enumerate(row)]
            above = row
            if row[0] == NAMESPACE:
                yield row[1], tuple(sorted(zip(row[2::2], row[3::2], strict=True)))


@pytest.mark.parametrize("alarm", watched())
def test_an_alarm_watches_a_metric_that_a_function_prints(printed: set[Metric], alarm: str) -> None:
    assert watched()[alarm] in printed


@pytest.mark.parametrize("metric", sorted(shown()), ids=lambda metric: str(metric[0]))
def test_the_dashboard_shows_a_metric_that_a_function_prints(
    printed: set[Metric], metric: Metric
) -> None:
    assert metric in printed


def test_a_part_of_the_housekeeping_that_fails_for_a_quarter_of_an_hour_is_an_alarm() -> None:
    """The least of all rounds: one round in which every part was done ends it."""
    alarm = properties("HousekeepingPartsFailedAlarm")

    assert (alarm["Statistic"], alarm["Threshold"]) == ("Minimum", 0)
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 15 * 60


def test_what_is_measured_is_looked_at(printed: set[Metric]) -> None:
    """A custom metric costs: none is measured that no alarm and no widget asks for."""
    assert printed == {*watched().values(), *shown()}
