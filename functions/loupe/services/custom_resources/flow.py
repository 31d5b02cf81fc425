"""Custom resource: the Amazon A2I task page and flow definitions (HumanReview = a2i)."""

import hashlib
import html
import json
from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import Any

from loupe.adapters.cloudformation import CustomResource, Request
from loupe.adapters.flows import FlowSpec
from loupe.domain.stack_name import check_stack_name
from loupe.wiring import Deps

PAGE = files("loupe.pages") / "review.liquid.html"
LAST_SECONDS = 10


def provide(request: Request, context: Any, deps: Deps) -> CustomResource:
    """Create, change or delete the task page and the flow definitions.

    The physical id never changes, so CloudFormation never deletes on an update. The attribute
    `FlowArn` names the flow definitions of new tasks; an update keeps those with open tasks until
    a later one.
    """
    properties = request["ResourceProperties"]
    flows = deps.flows(properties["Name"])
    identity = f"{properties['Name']}-review"
    if request["RequestType"] == "Delete":
        flows.remove(lambda: context.get_remaining_time_in_millis() < LAST_SECONDS * 1000)
        return CustomResource(identity)
    check_stack_name(properties["Name"], uses_a2i=True)
    spec = flow_spec(properties)
    try:
        arn = flows.make(spec)
    except Exception:
        if request["RequestType"] == "Create":
            flows.retire(keep="")  # CloudFormation deletes nothing after a failed creation.
        raise
    flows.retire(keep=spec.name)
    return CustomResource(identity, {"FlowArn": arn})


def flow_spec(properties: Mapping[str, str]) -> FlowSpec:
    """The flow that the properties describe; its name is a digest of them."""
    page = Template(PAGE.read_text()).substitute(title=html.escape(properties["Title"]))
    source = {k: v for k, v in properties.items() if k != "ServiceToken"} | {"page": page}
    digest = hashlib.sha256(json.dumps(source, sort_keys=True).encode()).hexdigest()[:8]
    return FlowSpec(
        name=f"{properties['Name']}-{digest}",
        page=page,
        title=properties["Title"],
        workteam=properties["WorkteamArn"],
        role=properties["RoleArn"],
        output=properties["OutputPath"],
    )
