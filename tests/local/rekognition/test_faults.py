"""Faults on purpose, as `faults.json` tells of them."""

import json
import threading
from pathlib import Path

import pytest

from loupe_local.http.wire import ServiceError
from loupe_local.rekognition.faults import Faults, parse

DETECT = "DetectCustomLabels"


def outcomes(faults: Faults, calls: int, operation: str = DETECT) -> list[str]:
    """What each call ends with: an error's code, or ""."""

    def one() -> str:
        try:
            faults.strike(operation)
        except ServiceError as error:
            return error.code
        return ""

    return [one() for _ in range(calls)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "faults.json"


def test_without_the_file_nothing_fails(file: Path) -> None:
    assert outcomes(Faults(file), 3) == ["", "", ""]


def test_every_third_call_fails(file: Path) -> None:
    file.write_text(json.dumps({DETECT: {"error": "InternalServerError", "every": 3}}))

    assert outcomes(Faults(file), 6) == ["", "", "InternalServerError"] * 2


def test_an_error_can_be_limited_to_the_first_calls(file: Path) -> None:
    file.write_text(json.dumps({"*": {"error": "ThrottlingException", "times": 2}}))

    assert outcomes(Faults(file), 3) == ["ThrottlingException"] * 2 + [""]


def test_more_calls_a_second_than_permitted_are_throttled(file: Path) -> None:
    file.write_text(json.dumps({DETECT: {"per_second": 2}}))

    assert outcomes(Faults(file), 3)[2] == "ProvisionedThroughputExceededException"
    assert outcomes(Faults(file), 3, "DescribeProjects") == ["", "", ""]


def test_a_changed_file_counts_from_the_next_call_on(file: Path) -> None:
    faults = Faults(file)
    file.write_text(json.dumps({DETECT: {"error": "AccessDeniedException"}}))
    assert outcomes(faults, 1) == ["AccessDeniedException"]

    file.unlink()

    assert outcomes(faults, 1) == [""]


@pytest.mark.parametrize("ending", ["the fault is taken away", "the server ends"])
def test_a_call_hangs_until(ending: str, file: Path) -> None:
    faults = Faults(file)
    file.write_text(json.dumps({DETECT: {"hang": True}}))
    call = threading.Thread(target=faults.strike, args=(DETECT,))
    call.start()
    call.join(0.3)
    assert call.is_alive()

    if ending == "the server ends":
        faults.close()
    else:
        file.unlink()
    call.join(10)

    assert not call.is_alive()


def test_a_file_that_cannot_be_read_is_told_of() -> None:
    for text in ("{", '{"x": {"unknown": 1}}', "[]", '{"x": 1}'):
        with pytest.raises(ServiceError, match=r"faults.json cannot be read"):
            parse(text)
