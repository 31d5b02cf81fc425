"""Where the original workflow (aws-samples, 2021) keeps its labelled images and parameters."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from loupe.domain.keys import LABELLED_PREFIX, is_folder_marker, label_of
from loupe.errors import InvalidRequest
from loupe.faults import code_of
from loupe_cli.target import Target

REVIEWED = "humanLoopName-"
"""How the names of the copies begin that it made of reviewed images."""
IMAGES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class SourceImage:
    """A labelled image: its key, its label, and `problem`, why it cannot be taken ("" if it can).

    `reviewed`: one reviewer labelled it; the others were uploaded with their labels.
    """

    key: str
    load: Callable[[], bytes]
    label: str = ""
    reviewed: bool = False
    problem: str = ""


def labelled_images(source: str, target: Target) -> Iterator[SourceImage]:
    """The labelled images of a bucket (`s3://NAME`) or of a folder that is a copy of one."""
    if source.startswith("s3://"):
        yield from _in_bucket(source.removeprefix("s3://").strip("/"), target)
    else:
        yield from _in_folder(Path(source))


def settings_at(path: str, target: Target) -> dict[str, str]:
    """`{name: value}` of the parameters below `path`, toggles written as Loupe takes them."""
    prefix = f"/{path.strip('/')}/"
    pages = target.client("ssm").get_paginator("get_parameters_by_path")
    return {
        parameter["Name"].removeprefix(prefix): _plain(parameter["Value"])
        for page in pages.paginate(Path=prefix, Recursive=True)
        for parameter in page["Parameters"]
    }


def _in_bucket(bucket: str, target: Target) -> Iterator[SourceImage]:
    s3 = target.client("s3")
    if bucket == target.outputs["BucketName"]:
        raise InvalidRequest(f"{bucket!r} is this stack's own bucket: name the original's.")
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=LABELLED_PREFIX
        ):
            for item in page.get("Contents", ()):
                if not is_folder_marker(item["Key"], item["Size"]):
                    yield _source_image(item["Key"], partial(_get, s3, bucket, item["Key"]))
    except ClientError as error:
        if code_of(error) not in ("NoSuchBucket", "AccessDenied"):
            raise
        reason = error.response["Error"].get("Message", "")
        raise InvalidRequest(f"The bucket {bucket!r} cannot be listed: {reason}") from error


def _in_folder(folder: Path) -> Iterator[SourceImage]:
    root = folder / LABELLED_PREFIX
    if not root.is_dir():
        raise InvalidRequest(
            f"{folder} has no folder {LABELLED_PREFIX}: name a copy of the original's bucket."
        )
    for path in sorted(root.rglob("*")):
        if path.is_file():
            yield _source_image(path.relative_to(folder).as_posix(), path.read_bytes)


def _source_image(key: str, load: Callable[[], bytes]) -> SourceImage:
    name = key.rpartition("/")[2]
    try:
        label = label_of(key)
    except InvalidRequest as error:
        return SourceImage(key, load, problem=str(error))
    if not name.lower().endswith(IMAGES):
        return SourceImage(key, load, problem="its name is not that of a PNG or JPEG image")
    return SourceImage(key, load, label, reviewed=name.startswith(REVIEWED))


def _get(s3: Any, bucket: str, key: str) -> bytes:
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def _plain(value: str) -> str:
    """The original reads values as JSON and toggles in three spellings."""
    try:
        value = str(json.loads(value))
    except ValueError:
        value = value.strip()
    return value.lower() if value.lower() in ("true", "false") else value
