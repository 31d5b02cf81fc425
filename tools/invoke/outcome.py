"""Whether a function failed: `sam local invoke` ends with 0 whatever becomes of it."""

import json
from collections.abc import Mapping
from typing import Any

from loupe.errors import LoupeError


class FunctionFailed(LoupeError):
    """The function ran and failed; the message says how."""


def failure(stdout: str) -> str:
    """Why the function failed, by what SAM printed as its answer; "" when it did not.

    A function that raises answers `{"errorType", "errorMessage"}`; one that is ended (by its
    timeout, or for its memory) answers nothing; one that returns None answers `null`.
    """
    text = stdout.strip()
    if not text:
        return "it gave no answer: it ran into its timeout, or its container ended"
    try:
        answer = json.loads(text)
    except ValueError:
        return f"its answer is no JSON: {text[:200]}"
    if not isinstance(answer, dict):
        return ""
    if {"errorType", "errorMessage"} <= answer.keys():
        return f"{answer['errorType']}: {answer['errorMessage']}"
    return _failed_messages(answer)


def refusal(answer: Mapping[str, Any]) -> str:
    """Why a custom resource failed, by its answer to CloudFormation; "" when it did not."""
    return str(answer["Reason"]) if answer["Status"] == "FAILED" else ""


def _failed_messages(answer: Mapping[str, Any]) -> str:
    failed = answer.get("batchItemFailures") or []
    messages = ", ".join(str(each["itemIdentifier"]) for each in failed)
    return f"it could not do these messages: {messages}" if messages else ""
