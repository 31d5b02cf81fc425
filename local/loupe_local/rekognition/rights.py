"""What the service does in S3 with the rights of whoever calls it.

Set up SDK permissions (Rekognition Custom Labels guide): datasets and trainings read images and
manifests as the caller, not as a service of its own. A caller who lacks a right learns of it where
AWS tells it: in the status of the dataset or of the version.
"""

from collections.abc import Iterable, Iterator

from loupe_local.http.wire import Caller, ServiceError
from loupe_local.objects import Location

READ = ("s3:GetObject", "s3:GetObjectAcl", "s3:GetObjectVersion", "s3:GetObjectTagging")
LOOK = ("s3:ListBucket", "s3:GetBucketAcl", "s3:GetBucketLocation")
WRITE = ("s3:PutObject",)


def lacking(caller: Caller, read: Iterable[Location], written: Iterable[Location] = ()) -> str:
    """The first right on these objects and their buckets that `caller` lacks, in words, or ""."""
    for action, resource in dict.fromkeys(_needed(list(read), list(written))):
        try:
            caller.require("s3", action, resource)
        except ServiceError as error:
            return error.message
    return ""


def incorrect(lack: str) -> str:
    """The status message of a dataset or version that fails for `lack`."""
    return f"The permissions for the S3 bucket are incorrect. {lack}"


def _needed(read: list[Location], written: list[Location]) -> Iterator[tuple[str, str]]:
    for place in (*read, *written):
        yield from ((action, place.bucket_arn) for action in LOOK)
    for place in read:
        yield from ((action, place.arn) for action in READ)
    for place in written:
        yield from ((action, place.arn) for action in WRITE)
