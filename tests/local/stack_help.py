"""Clients that check what our services answer, and small things that tests of the stack share."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import boto3
import cv2
import numpy as np
from botocore.config import Config

from loupe_local.environment import REGION
from loupe_local.http.contract import input_faults, output_faults
from loupe_local.stack import Endpoint

OURS = {"rekognition", "sagemaker", "sagemaker-a2i-runtime"}
CALLED: set[tuple[str, str]] = set()
"""Every operation of our services that a test called: service, operation."""

OPEN: list[Any] = []
"""The clients of the test that runs; the fixture `closed` closes them."""

Client = Callable[..., Any]
T = TypeVar("T")


def eventually(look: Callable[[], T], seconds: float = 10.0) -> T:
    """What `look` finds as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


def connect(endpoint: Endpoint, service: str, **credentials: str) -> Any:
    """A boto3 client, by default the operator's. What our services answer is checked."""
    make: Any = boto3.client
    client = make(
        service,
        endpoint_url=endpoint.url,
        region_name=REGION,
        **{
            "aws_access_key_id": endpoint.credentials.key_id,
            "aws_secret_access_key": endpoint.credentials.secret,
        }
        | credentials,
        config=Config(retries={"total_max_attempts": 1}, inject_host_prefix=False),
    )
    OPEN.append(client)
    if service in OURS:
        client.meta.events.register("before-call", _check_request)
        client.meta.events.register("before-parse", _check_answer)
    return client


def _check_request(model: Any, params: dict[str, Any], **_: Any) -> None:
    service = model.service_model.service_name
    body = params["body"]
    if isinstance(body, bytes | str) and body and service != "sagemaker-a2i-runtime":
        faults = input_faults(service, model.name, json.loads(body))
        # What botocore itself lets pass is for the service to refuse.
        assert not [fault for fault in faults if "not known" in fault]


def _check_answer(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    if response_dict["status_code"] >= 300:
        return
    service, name = operation_model.service_model.service_name, operation_model.name
    CALLED.add((service, name))
    payload = json.loads(response_dict["body"] or b"{}")
    assert output_faults(service, name, payload) == []


def picture(label: str, number: int) -> bytes:
    """A PNG: a ring or a box, each a little different."""
    rng = np.random.default_rng(number)
    canvas = np.full((96, 96, 3), 230, np.uint8)
    x, y = (int(value) for value in 48 + rng.integers(-8, 8, 2))
    if label == "ring":
        cv2.circle(canvas, (x, y), 28, (30, 60, 200), 5)
    else:
        cv2.rectangle(canvas, (x - 28, y - 28), (x + 28, y + 28), (40, 160, 30), 5)
    noisy = np.clip(canvas + rng.normal(0, 6, canvas.shape), 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(".png", noisy)[1])


def line(source: str, label: str) -> str:
    """A manifest line of an image with one label."""
    metadata = {
        "confidence": 1,
        "class-name": label,
        "human-annotated": "yes",
        "creation-date": "2026-01-01T00:00:00.000",
        "type": "groundtruth/image-classification",
    }
    return json.dumps({"source-ref": source, "x": 1, "x-metadata": metadata})
