"""Permissions that MiniStack asks for in another way than AWS does."""

import json
from typing import Any

import ministack.app
from ministack.core import iam_actions

from loupe_local.http.wire import Json


def apply() -> None:
    """Apply all of them."""
    _count_loopback_as_secure()
    _permit_on_named_parameters()
    _name_actions_as_aws()
    _require_rights_on_copied_tags()


def _count_loopback_as_secure() -> None:
    """Loopback needs no TLS, but a bucket policy that denies plain HTTP must still let it in."""
    pin = ministack.app.pin_request_origin
    ministack.app.pin_request_origin = lambda source_ip, _secure: pin(source_ip, True)


def _permit_on_named_parameters() -> None:
    """GetParameters is permitted by parameter, as on AWS; MiniStack would ask for `*`.

    One name stands for all of a request: Loupe's come from one path.
    """
    extract = iam_actions.extract_resource_arn

    def extract_resource_arn(service: str, *request: Any) -> Any:
        arn = extract(service, *request)
        if service != "ssm" or arn != "*":
            return arn
        _, _, _, body, _, region, account = request
        names = json.loads(body or b"{}").get("Names")
        if not names:
            return arn
        return f"arn:aws:ssm:{region}:{account}:parameter/{names[0].lstrip('/')}"

    iam_actions.extract_resource_arn = extract_resource_arn


def _name_actions_as_aws() -> None:
    """Two places where MiniStack asks for another permission than AWS does.

    Reading or changing one event source mapping is an action of its own; MiniStack calls every GET
    ListEventSourceMappings and checks a PUT not at all. And SQS has no permission for batches: that
    for the single message covers them.
    """
    extract = iam_actions.extract_iam_action
    actions = {"GET": "Get", "PUT": "Update", "DELETE": "Delete"}

    def extract_iam_action(service: str, method: str, path: str, *request: Any) -> Any:
        identity = path.partition("/event-source-mappings/")[2]
        if service == "lambda" and identity and method in actions:
            return f"lambda:{actions[method]}EventSourceMapping"
        action = extract(service, method, path, *request)
        return action.removesuffix("Batch") if service == "sqs" and action else action

    iam_actions.extract_iam_action = extract_iam_action


def _require_rights_on_copied_tags() -> None:
    """A copy that takes tags along needs rights on them, which MiniStack does not ask for."""
    checks = iam_actions.s3_additional_checks

    def s3_additional_checks(
        method: str, path: str, headers: Json, *request: Any
    ) -> list[tuple[str, str]]:
        required: list[tuple[str, str]] = checks(method, path, headers, *request)
        source = iam_actions._s3_source_object(headers)
        if method == "PUT" and source and headers.get("x-amz-tagging-directive") != "REPLACE":
            required.append(("s3:GetObjectTagging", source[0]))
            required.append(("s3:PutObjectTagging", f"arn:aws:s3:::{path.lstrip('/')}"))
        return required

    iam_actions.s3_additional_checks = s3_additional_checks
