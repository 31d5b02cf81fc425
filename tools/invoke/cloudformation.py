"""CloudFormation's side of a custom resource: where it answers, and what it answered."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.config import Config

from loupe.adapters.objects import Objects
from loupe.errors import NotFound
from loupe_cli.target import Target
from tools.invoke.samples import BUCKET


def response_url(event: Mapping[str, Any], target: Target, address: str) -> str:
    """Where the request `event` is answered: an object of the samples' bucket, as in AWS.

    `address` is the embedded stack's, as the function sees it.
    """
    key = _key(event)
    _objects(target).delete(key)
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    client = target.session.client("s3", endpoint_url=address, config=config)
    return str(client.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": key}))


def answer_to(event: Mapping[str, Any], target: Target) -> dict[str, Any]:
    """The answer to the request `event`: `{"Status", "Reason", "PhysicalResourceId", "Data"}`."""
    try:
        return dict(json.loads(_objects(target).read(_key(event))))
    except NotFound:
        return {"Status": "FAILED", "Reason": "it sent CloudFormation no answer"}


def _objects(target: Target) -> Objects:
    return Objects(target.client("s3"), BUCKET)


def _key(event: Mapping[str, Any]) -> str:
    return f"cloudformation/{event['RequestId']}.json"
