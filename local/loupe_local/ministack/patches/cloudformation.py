"""CloudFormation: resources that MiniStack lacks, and deletions as careful as those of AWS."""

import json
from collections.abc import Callable
from typing import Any

from ministack.services import cloudformation, cognito, eventbridge, s3
from ministack.services.cloudformation import provisioners, stacks

from loupe_local.http.wire import Json


def apply() -> None:
    """Apply all changes."""
    _add_resources()
    _keep_what_is_needed_to_delete()
    _keep_buckets_with_objects()


def _add_resources() -> None:
    """Adds what MiniStack has in its services and not in CloudFormation."""
    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::Events::Connection"] = _resource(
        eventbridge._create_connection,
        eventbridge._update_connection,
        eventbridge._delete_connection,
        "ConnectionArn",
    )
    handlers["AWS::Events::ApiDestination"] = _resource(
        eventbridge._create_api_destination,
        eventbridge._update_api_destination,
        eventbridge._delete_api_destination,
        "ApiDestinationArn",
    )
    handlers["AWS::Cognito::UserPoolUser"] = _member(
        cognito._admin_create_user, cognito._admin_delete_user
    )
    handlers["AWS::Cognito::UserPoolUserToGroupAttachment"] = _member(
        cognito._admin_add_user_to_group, cognito._admin_remove_user_from_group
    )


def _resource(
    create: Callable[[Json], Any],
    update: Callable[[Json], Any],
    delete: Callable[[Json], Any],
    arn: str,
) -> Json:
    """The handlers of a resource that is named by its property `Name`."""

    def done(reply: Any) -> Json:
        status, _, body = reply
        if status >= 400:
            raise ValueError(str(body))
        return {"Arn": json.loads(body)[arn]}

    def created(_logical_id: str, properties: Json, _stack: str) -> tuple[str, Json]:
        return properties["Name"], done(create(properties))

    def updated(name: str, _old: Json, new: Json, _stack: str) -> tuple[str, Json]:
        return name, done(update({**new, "Name": name}))

    def deleted(name: str, _properties: Json) -> None:
        delete({"Name": name})

    return {"create": created, "update": updated, "delete": deleted}


def _member(create: Callable[[Json], Any], delete: Callable[[Json], Any]) -> Json:
    """The handlers of a user, and of a user's place in a group: known by all their properties."""

    def created(_logical_id: str, properties: Json, _stack: str) -> tuple[str, Json]:
        status, _, body = create(properties)
        if status >= 400:
            raise ValueError(str(body))
        return properties["Username"], {}

    def deleted(_name: str, properties: Json) -> None:
        delete(properties)

    return {"create": created, "delete": deleted}


def _keep_what_is_needed_to_delete() -> None:
    """Keeps what a resource depends on that could not be deleted, so that it can be tried again.

    MiniStack would delete the function of a custom resource that has just answered with a failure.
    """
    delete = stacks._delete_resource

    def delete_resource(
        kind: str, identity: str, properties: Json, stack_name: str = "", logical_id: str = ""
    ) -> None:
        stack = cloudformation._stacks.get(stack_name) or {}
        resources = stack.get("_resources", {})
        definitions = stack.get("_template", {}).get("Resources", {})
        for name, resource in resources.items():
            if name != logical_id and resource.get("ResourceStatus") == "DELETE_FAILED":
                needed = stacks._with_dependencies([name], definitions, set(resources))
                if logical_id in needed:
                    raise ValueError(f"{name} needs it, which could not be deleted")
        delete(kind, identity, properties, stack_name, logical_id)

    stacks._delete_resource = delete_resource


def _keep_buckets_with_objects() -> None:
    """CloudFormation deletes empty buckets alone; MiniStack's deletes any."""

    def deleted(name: str, _properties: Json) -> None:
        status, _, body = s3._delete_bucket(name)
        if status == 409:
            raise ValueError(body.decode())

    provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]["delete"] = deleted
