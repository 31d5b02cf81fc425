"""Runs a state machine of a release over functions of this one.

A run that began before an update ends by the definition that it began with, and calls the new
functions.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from jsonata import Jsonata

from tests.template.reading import ROOT, STACK

Call = Callable[[Any], Any]
FOLDER = ROOT / "tests/upgrade/released/0.1.0/statemachine"
CONTEXT = {"Execution": {"Id": "the run"}, "Task": {"Token": "the token"}}


class Machine:
    """`call[resource]` does what a task asks for; `wait` lets time pass."""

    def __init__(self, name: str, call: Mapping[str, Call], wait: Callable[[], None]) -> None:
        text = (FOLDER / f"{name}.asl.json").read_text()
        for parameter, value in {"Stack": STACK, "Partition": "aws", "PollSeconds": "1"}.items():
            text = text.replace(f"${{{parameter}}}", value)
        self._definition = json.loads(text)
        self._call = call
        self._wait = wait
        self._variables: dict[str, Any] = {}
        self.entered: list[str] = []

    def run(self, given: Any) -> str:
        """Runs to the end; returns the state that it ends in."""
        name: str | None = self._definition["StartAt"]
        while name:
            self.entered.append(name)
            state = self._definition["States"][name]
            name = self._step(state, {"input": given, "context": CONTEXT})
        return self.entered[-1]

    def _step(self, state: dict[str, Any], states: dict[str, Any]) -> str | None:
        """Returns which state comes next; None at the end."""
        if state["Type"] == "Choice":
            return self._choose(state, states)
        if state["Type"] == "Wait":
            self._wait()
        if state["Type"] == "Task":
            try:
                states["result"] = self._invoke(state, states)
            except Exception as error:  # noqa: BLE001 - a machine catches what it names
                (caught, *_) = (c for c in state.get("Catch", ()) if _catches(c, error))
                states["errorOutput"] = {"Error": type(error).__name__, "Cause": str(error)}
                return self._leave(caught, states)
        return self._leave(state, states)

    def _choose(self, state: dict[str, Any], states: dict[str, Any]) -> str | None:
        for choice in state["Choices"]:
            if self._evaluate(choice["Condition"], states):
                return self._leave(choice, states)
        return str(state["Default"])

    def _leave(self, way: dict[str, Any], states: dict[str, Any]) -> str | None:
        self._variables |= self._evaluate(way.get("Assign", {}), states)
        return way.get("Next")

    def _invoke(self, state: dict[str, Any], states: dict[str, Any]) -> Any:
        arguments = self._evaluate(state["Arguments"], states)
        resource = arguments.get("FunctionName", state["Resource"]).strip("${}")
        result = self._call[resource](arguments.get("Payload", arguments))
        return json.loads(json.dumps(result))

    def _evaluate(self, value: Any, states: dict[str, Any]) -> Any:
        if isinstance(value, dict):
            return {name: self._evaluate(inner, states) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._evaluate(inner, states) for inner in value]
        expression = re.fullmatch(r"\{%(.*)%\}", value) if isinstance(value, str) else None
        if expression is None:
            return value
        found = Jsonata(expression[1]).evaluate(None, self._variables | {"states": states})
        assert found is not None, f"{value} is undefined, which ends a run in AWS"
        return found


def _catches(catcher: dict[str, Any], error: Exception) -> bool:
    return bool({"States.ALL", type(error).__name__} & set(catcher["ErrorEquals"]))
