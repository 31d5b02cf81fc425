"""CloudFormation: nested stacks that fail and go as a whole, as on AWS."""

import asyncio
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import engine, helpers, provisioners, stacks

from loupe_local.http.wire import Json

NESTED = "AWS::CloudFormation::Stack"


def apply() -> None:
    """Apply all changes."""
    _all_or_nothing()
    _keep_attributes()


def _all_or_nothing() -> None:
    """A nested stack that cannot be made leaves nothing, and one that cannot be deleted stays.

    MiniStack leaves what a failed one has made, and forgets what it cannot delete.
    """
    handlers = provisioners._RESOURCE_HANDLERS[NESTED]
    create, update = handlers["create"], handlers["update"]

    def created(logical_id: str, properties: Json, parent: str) -> Any:
        _refuse_undeclared(properties)
        try:
            return create(logical_id, properties, parent)
        except Exception as error:
            _take_back(f"{parent}-{logical_id}-", parent)
            raise ValueError(f"Embedded stack was not successfully created: {error}") from error

    def updated(arn: str, old: Json, new: Json, parent: str) -> Any:
        _refuse_undeclared(new)
        try:
            return update(arn, old, new, parent)
        except Exception as error:
            message = f"Embedded stack {arn} was not successfully updated: {error}"
            raise ValueError(message) from error

    def deleted(arn: str, _properties: Json) -> None:
        _delete(provisioners._nested_stack_lookup_name(arn))

    handlers.update(create=created, update=updated, delete=deleted)


def _keep_attributes() -> None:
    """What an update leaves alone in a nested stack keeps its attributes, which MiniStack drops.

    Whatever refers to them would fail from then on.
    """
    update = provisioners._update_resource

    def update_resource(
        kind: str, identity: str, old: Json, new: Json, stack: str, logical_id: str
    ) -> Any:
        before = cloudformation._stacks[stack]["_resources"][logical_id].get("Attributes")
        return update(kind, identity, old, new, stack, logical_id, before)

    # Its one caller by this name is the update of a nested stack.
    provisioners._update_resource = update_resource


def _refuse_undeclared(properties: Json) -> None:
    """A parameter that the nested template does not have is an error, not nothing."""
    body, _ = helpers._resolve_template({"TemplateURL": [properties.get("TemplateURL")]})
    declared = engine._parse_template(body).get("Parameters", {}) if body else {}
    unknown = sorted((properties.get("Parameters") or {}).keys() - declared.keys())
    if body and unknown:
        raise ValueError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")


def _take_back(prefix: str, parent: str) -> None:
    """Deletes what a nested stack has made that failed; its parent does not know it yet."""
    for name, stack in list(cloudformation._stacks.items()):
        is_its = name.startswith(prefix) and stack.get("_parent_stack_name") == parent
        if is_its and not stack["StackStatus"].endswith("_COMPLETE"):
            _delete(name)


def _delete(name: str) -> None:
    """Deletes a nested stack as any other is deleted; raises ValueError for what stays."""
    stack = cloudformation._stacks.get(name)
    if stack is None:
        return
    # Nested stacks are made and deleted on a thread of their own, which has no event loop.
    asyncio.run(stacks._delete_stack_async(name, stack["StackId"]))
    if stack["StackStatus"] != "DELETE_COMPLETE":
        arn, reason = stack["StackId"], stack.get("StackStatusReason", "")
        raise ValueError(f"Embedded stack {arn} was not successfully deleted: {reason}")
