"""Custom resource: the Amazon A2I task page and flow definitions (HumanReview = a2i)."""

import hashlib
import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from loupe.adapters.cloudformation import Resource, answer
from loupe.adapters.flows import Flows, Wanted
from loupe.wiring import deps

PAGE = Path(__file__).parent.parent / "pages" / "review.liquid.html"
NAME = re.compile(r"[a-z0-9](-*[a-z0-9])*")
LONGEST_NAME = 52
"""So that with a hash and a number it has at most 63 characters, Amazon A2I's limit."""
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
    client, stack = deps().client, checked_name(properties["Name"])
    flows = Flows(client("sagemaker"), client("sagemaker-a2i-runtime"), stack, deps().clock())
    identity = f"{stack}-review"
    if event["RequestType"] == "Delete":
        flows.remove(lambda: context.get_remaining_time_in_millis() < LAST_SECONDS * 1000)
        return Resource(identity)
    found = wanted(properties)
    try:
        arn = flows.make(found)
    except Exception:
        if event["RequestType"] == "Create":
            flows.retire(keep="")  # CloudFormation does not ask to delete what was never there.
        raise
    flows.retire(keep=found.name)
    return Resource(identity, {"FlowArn": arn})


def checked_name(stack: str) -> str:
    """The stack's name if Amazon A2I takes it in names, else ValueError that says what it takes."""
    if NAME.fullmatch(stack) is None or len(stack) > LONGEST_NAME:
        raise ValueError(
            f"with HumanReview = a2i the stack cannot be called {stack!r}, because Amazon A2I "
            f"takes names of lower-case letters, digits and hyphens, at most {LONGEST_NAME} "
            "characters: deploy it under such a name"
        )
    return stack


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
