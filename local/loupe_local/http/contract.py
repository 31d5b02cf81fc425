"""A service's own model, as botocore ships it, held against what is asked and answered."""

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape


@cache
def model_of(service: str) -> ServiceModel:
    """botocore's model of a service, e.g. `rekognition`."""
    return botocore.session.get_session().get_service_model(service)


def input_faults(service: str, operation: str, payload: object) -> list[str]:
    """What is wrong with a request, empty if nothing is."""
    shape = model_of(service).operation_model(operation).input_shape
    return [] if shape is None else list(_faults(shape, payload, ""))


def output_faults(service: str, operation: str, payload: object) -> list[str]:
    """What is wrong with an answer, empty if nothing is."""
    shape = model_of(service).operation_model(operation).output_shape
    if shape is None:
        return [f"{operation} answers nothing"] if payload else []
    return list(_faults(shape, payload, ""))


def _faults(shape: Any, value: object, path: str) -> Iterator[str]:
    check = _CHECKS.get(shape.type_name)
    if check is not None:
        yield from check(shape, value, path or shape.name)


def _structure(shape: Any, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} must be a structure"
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{path}.{name} is required"
    for name, member in value.items():
        if name not in shape.members:
            yield f"{path}.{name} is not known"
        elif member is not None:
            yield from _faults(shape.members[name], member, f"{path}.{name}")


def _list(shape: Any, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path} must be a list"
        return
    yield from _size(shape, len(value), path)
    for index, member in enumerate(value):
        yield from _faults(shape.member, member, f"{path}[{index}]")


def _map(shape: Any, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} must be a map"
        return
    yield from _size(shape, len(value), path)
    for key, member in value.items():
        yield from _faults(shape.key, key, f"{path} key {key}")
        yield from _faults(shape.value, member, f"{path}.{key}")


def _string(shape: Any, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path} must be a string"
        return
    yield from _size(shape, len(value), path)
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield f"{path} must be one of {', '.join(allowed)}"
    pattern = _pattern(shape)
    if pattern and not pattern.fullmatch(value):
        yield f"{path} must match {pattern.pattern}"


def _number(shape: Any, value: object, path: str) -> Iterator[str]:
    whole = shape.type_name in ("integer", "long")
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        yield f"{path} must be {'an integer' if whole else 'a number'}"
        return
    yield from _size(shape, value, path)


def _boolean(_shape: Any, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{path} must be a boolean"


def _timestamp(shape: Any, value: object, path: str) -> Iterator[str]:
    if shape.serialization.get("timestampFormat") != "iso8601":
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"{path} must be seconds since 1970"
        return
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        yield f"{path} must be an ISO 8601 time"


def _blob(shape: Any, value: object, path: str) -> Iterator[str]:
    try:
        yield from _size(shape, len(base64.b64decode(str(value), validate=True)), path)
    except binascii.Error:
        yield f"{path} must be Base64"


def _size(shape: Any, size: float, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield f"{path} is {size}, less than {least}"
    if most is not None and size > most:
        yield f"{path} is {size}, more than {most}"


def _pattern(shape: Shape) -> re.Pattern[str] | None:
    # \p{…} is Java's; Python's re does not know it, and only tags use it.
    text = shape.metadata.get("pattern")
    return re.compile(text) if text and "\\p{" not in text else None


_CHECKS = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _number,
    "long": _number,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "blob": _blob,
}
