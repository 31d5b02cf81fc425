"""CreateProject, DescribeProjects, DeleteProject, and the tags of every resource."""

import time
from typing import Any

from loupe_local.http.wire import Json, ServiceError
from loupe_local.rekognition.call import Call, arn, in_use, invalid

PROJECTS = 100


def create(call: Call) -> Json:
    """CreateProject."""
    name = call.input["ProjectName"]
    if call.input.get("Feature", "CUSTOM_LABELS") != "CUSTOM_LABELS":
        raise invalid("The embedded stack knows no content moderation adapters.")
    if "AutoUpdate" in call.input:
        raise invalid("AutoUpdate does not apply to Custom Labels.")
    with call.database.change():
        if call.database.row("SELECT 1 FROM project WHERE name = ?", name):
            raise in_use(f"The project {name} exists already.")
        if call.database.count("SELECT count(*) FROM project") >= PROJECTS:
            raise ServiceError("LimitExceededException", f"There are {PROJECTS} projects already.")
        project = arn(name)
        call.database.run("INSERT INTO project VALUES (?, ?, ?, NULL)", project, name, time.time())
        call.tag(project, call.tags)
    return {"ProjectArn": project}


def describe(call: Call) -> Json:
    """DescribeProjects."""
    names = call.input.get("ProjectNames")
    features = call.input.get("Features", ["CUSTOM_LABELS"])
    rows = call.database.rows("SELECT * FROM project ORDER BY created DESC, arn")
    chosen = [
        row
        for row in rows
        if "CUSTOM_LABELS" in features and (names is None or row["name"] in names)
    ]
    part, rest = call.page(chosen)
    return {"ProjectDescriptions": [_description(call, row) for row in part]} | rest


def delete(call: Call) -> Json:
    """DeleteProject; its versions and datasets must be gone."""
    project = call.row("project", call.input["ProjectArn"])
    with call.database.change():
        for table in ("version", "dataset"):
            query = f"SELECT count(*) FROM {table} WHERE project = ?"
            if call.database.count(query, project["arn"]):
                raise in_use(f"The project {project['name']} still has a {table}.")
        call.database.run("DELETE FROM tag WHERE arn = ?", project["arn"])
        call.database.run("DELETE FROM project WHERE arn = ?", project["arn"])
    return {"Status": "DELETING"}


def tag(call: Call) -> Json:
    """TagResource."""
    with call.database.change():
        call.tag(_resource(call), call.tags)
    return {}


def untag(call: Call) -> Json:
    """UntagResource."""
    resource = _resource(call)
    with call.database.change():
        for key in call.input["TagKeys"]:
            call.database.run("DELETE FROM tag WHERE arn = ? AND key = ?", resource, key)
    return {}


def list_tags(call: Call) -> Json:
    """ListTagsForResource."""
    rows = call.database.rows("SELECT key, value FROM tag WHERE arn = ?", _resource(call))
    return {"Tags": {row["key"]: row["value"] for row in rows}}


def _resource(call: Call) -> str:
    resource: str = call.input["ResourceArn"]
    kind = {"version": "version", "dataset": "dataset"}.get(_part(resource, 2), "project")
    call.row(kind, resource)
    return resource


def _part(resource: str, number: int) -> str:
    parts = resource.split("/")
    return parts[number] if number < len(parts) else ""


def _description(call: Call, project: Any) -> Json:
    query = "SELECT * FROM dataset WHERE project = ? ORDER BY kind DESC"
    datasets = [
        {
            "CreationTimestamp": row["created"],
            "DatasetType": row["kind"],
            "DatasetArn": row["arn"],
            "Status": row["status"],
            "StatusMessage": row["message"],
            "StatusMessageCode": "SUCCESS",
        }
        for row in call.database.rows(query, project["arn"])
    ]
    return {
        "ProjectArn": project["arn"],
        "CreationTimestamp": project["created"],
        "Status": "CREATED",
        "Datasets": datasets,
        "Feature": "CUSTOM_LABELS",
    }
