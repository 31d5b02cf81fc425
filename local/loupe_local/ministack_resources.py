"""Resources of a template that MiniStack (1.5.33) has in its services and not in CloudFormation."""

# ruff: noqa: PLC0415
# MiniStack reads the environment when it is imported, so it is imported when it is first needed.

import json
from collections.abc import Callable
from typing import Any

from loupe_local.wire import Json


def mend() -> None:
    """Adds all of them."""
    from ministack.services import cognito, eventbridge
    from ministack.services.cloudformation import provisioners

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
