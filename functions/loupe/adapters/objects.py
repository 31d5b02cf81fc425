"""S3: images, manifests and answers of one bucket."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from loupe.domain.keys import ImageRef
from loupe.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        CopySourceTypeDef,
        GetObjectOutputTypeDef,
        GetObjectRequestTypeDef,
    )

MISSING = ("NoSuchKey", "NoSuchVersion", "404", "NotFound", "MethodNotAllowed")
"""MethodNotAllowed is S3's answer to reading a delete marker by its version."""


@dataclass(frozen=True)
class StoredObject:
    """An object's newest version and its user metadata."""

    image: ImageRef
    metadata: Mapping[str, str]


class Objects:
    """The bucket. `client` is `boto3.client("s3")`."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    def read(self, key: str, version: str = "") -> bytes:
        """The bytes of an object (version); raises NotFound."""
        return bytes(self._get(key, version)["Body"].read())

    def current(self, key: str) -> StoredObject:
        """What stands at `key` now; raises NotFound."""
        try:
            found = self._client.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            raise _translated(error, key) from error
        image = ImageRef(
            bucket=self.bucket,
            key=key,
            version=found.get("VersionId", ""),
            etag=found["ETag"].strip('"'),
            size=found["ContentLength"],
        )
        return StoredObject(image, found["Metadata"])

    def is_there(self, image: ImageRef) -> bool:
        """Whether nobody has deleted the object, nor this version of it."""
        try:
            if self.current(image.key).image.version == image.version:
                return True
            self._client.head_object(Bucket=self.bucket, Key=image.key, VersionId=image.version)
        except NotFound:
            return False
        except ClientError as error:
            if isinstance(_translated(error, image.key), NotFound):
                return False
            raise
        return True

    def write(self, key: str, body: bytes, content_type: str) -> None:
        """Write an object."""
        self._client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)

    def delete(self, key: str) -> None:
        """Put a delete marker on an object; its versions stay."""
        self._client.delete_object(Bucket=self.bucket, Key=key)

    def copy(self, image: ImageRef, key: str, metadata: Mapping[str, str]) -> None:
        """Copy one version of an image to `key` with new metadata; raises NotFound.

        The version is named, so that a copy works even when the image was deleted since.
        """
        source: CopySourceTypeDef = {"Bucket": image.bucket, "Key": image.key}
        if image.version:
            source["VersionId"] = image.version
        try:
            self._client.copy_object(
                Bucket=self.bucket,
                Key=key,
                CopySource=source,
                Metadata=dict(metadata),
                MetadataDirective="REPLACE",
                # Copying tags would need rights on them.
                TaggingDirective="REPLACE",
            )
        except ClientError as error:
            raise _translated(error, image.key) from error

    def _get(self, key: str, version: str) -> "GetObjectOutputTypeDef":
        request: GetObjectRequestTypeDef = {"Bucket": self.bucket, "Key": key}
        if version:
            request["VersionId"] = version
        try:
            return self._client.get_object(**request)
        except ClientError as error:
            raise _translated(error, key) from error


def _translated(error: ClientError, key: str) -> Exception:
    if error.response["Error"]["Code"] in MISSING:
        return NotFound(f"{key!r} is not in the bucket (any more)")
    return error
