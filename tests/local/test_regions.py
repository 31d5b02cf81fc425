"""The template's rule about Regions, judged by CloudFormation before anything is made."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from loupe_local.stack import Endpoint
from tests.local.stack_help import OPEN, eventually
from tests.template.reading import template

BODY = json.dumps(
    {
        "Rules": {"R": template()["Rules"]["RegionHasCustomLabels"]},
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
    }
)


def cloudformation(endpoint: Endpoint, region: str) -> Any:
    """A client of another Region than the embedded stack's own."""
    client = boto3.client(
        "cloudformation",
        endpoint_url=endpoint.url,
        region_name=region,
        aws_access_key_id=endpoint.credentials.key_id,
        aws_secret_access_key=endpoint.credentials.secret,
    )
    OPEN.append(client)
    return client


def test_a_region_without_custom_labels_is_refused_in_a_sentence(endpoint: Endpoint) -> None:
    """Given a Region without the service, then the stack is refused, and nothing of it is made."""
    client = cloudformation(endpoint, "eu-north-1")
    with pytest.raises(ClientError, match="is not available in this Region"):
        client.create_stack(StackName="refused", TemplateBody=BODY)
    assert client.list_stacks()["StackSummaries"] == []


def test_a_region_with_custom_labels_is_taken(endpoint: Endpoint) -> None:
    """Given a Region with the service, then the stack is made."""
    client = cloudformation(endpoint, "eu-west-1")
    client.create_stack(StackName="taken", TemplateBody=BODY)

    def made() -> bool:
        (found,) = client.describe_stacks(StackName="taken")["Stacks"]
        return bool(found["StackStatus"] == "CREATE_COMPLETE")

    eventually(made)
    client.delete_stack(StackName="taken")
