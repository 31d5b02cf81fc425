"""Custom resource: the Amazon A2I task page and flow definitions (HumanReview = a2i)."""

import hashlib
import html
import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from loupe.adapters.cloudformation import Resource, answer
from loupe.adapters.flows import Flows, Wanted
from loupe.domain.stack_name import check_stack_name
from loupe.wiring import deps

PAGE = Path(__file__).parent.parent / "pages" / "review.liquid.html"
LAST_SECONDS = 10


def handler(event: dict[str, Any], context: Any) -> None:
    """A CloudFormation request; the answer goes to its ResponseURL, a failure as a failure."""
    answer(event, context, provide)


def provide(event: Mapping[str, Any], context: Any) -> Resource:
    """Make, change or delete what people's tasks are made from.

    The physical id never changes, so CloudFormation never deletes on an update; the attribute
    `FlowArn` says which flow definitions new tasks are made with. On an update, those with open
    tasks stay until a later one.
    """
    properties = event["ResourceProperties"]
    client, stack = deps().client, properties["Name"]
    flows = Flows(client("sagemaker"), client("sagemaker-a2i-runtime"), stack, deps().clock())
    identity = f"{stack}-review"
    if event["RequestType"] == "Delete":
        flows.remove(lambda: context.get_remaining_time_in_millis() < LAST_SECONDS * 1000)
        return Resource(identity)
    check_stack_name(stack, uses_a2i=True)
    found = wanted(properties)
    try:
        arn = flows.make(found)
    except Exception:
        if event["RequestType"] == "Create":
            flows.retire(keep="")  # CloudFormation does not ask to delete what was never there.
        raise
    flows.retire(keep=found.name)
    return Resource(identity, {"FlowArn": arn})


def wanted(properties: Mapping[str, str]) -> Wanted:
    """What the properties ask for, named by what it is made of."""
    page = Template(PAGE.read_text()).substitute(title=html.escape(properties["Title"]))
    made_of = {k: v for k, v in properties.items() if k != "ServiceToken"} | {"page": page}
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:8]
    return Wanted(
        name=f"{properties['Name']}-{digest}",
        page=page,
        title=properties["Title"],
        workteam=properties["WorkteamArn"],
        role=properties["RoleArn"],
        output=properties["OutputPath"],
    )
