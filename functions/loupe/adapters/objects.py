"""S3: images, manifests and answers of one bucket."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from loupe.domain.keys import ImageRef
from loupe.domain.series import carried
from loupe.errors import NotFound
from loupe.faults import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CopySourceTypeDef, GetObjectRequestTypeDef

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
        request: GetObjectRequestTypeDef = {"Bucket": self.bucket, "Key": key}
        if version:
            request["VersionId"] = version
        with _translating(key):
            return self._client.get_object(**request)["Body"].read()

    def current(self, key: str) -> StoredObject:
        """The newest version of the object at `key`; raises NotFound."""
        with _translating(key):
            head = self._client.head_object(Bucket=self.bucket, Key=key)
        version, etag = head.get("VersionId", ""), head["ETag"].strip('"')
        image = ImageRef(self.bucket, key, version, etag, head["ContentLength"])
        return StoredObject(image, head["Metadata"])

    def is_there(self, image: ImageRef) -> bool:
        """Whether neither the object nor this version of it is deleted."""
        try:
            if self.current(image.key).image.version != image.version:
                with _translating(image.key):
                    self._client.head_object(
                        Bucket=self.bucket, Key=image.key, VersionId=image.version
                    )
        except NotFound:
            return False
        return True

    def write(self, key: str, body: bytes, content_type: str) -> None:
        """Write an object."""
        self._client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)

    def delete(self, key: str) -> None:
        """Put a delete marker on an object; its versions stay."""
        self._client.delete_object(Bucket=self.bucket, Key=key)

    def copy(self, image: ImageRef, key: str, metadata: Mapping[str, str]) -> None:
        """Copy one version of an image to `key` with new metadata; raises NotFound.

        Naming the version lets the copy work even when the image is deleted by now. The copy stays
        in the image's series.
        """
        source: CopySourceTypeDef = {"Bucket": image.bucket, "Key": image.key}
        if image.version:
            source["VersionId"] = image.version
        with _translating(image.key):
            kept = carried(image.key, self._client.head_object(**source)["Metadata"])
            self._client.copy_object(
                Bucket=self.bucket,
                Key=key,
                CopySource=source,
                Metadata={**kept, **metadata},
                MetadataDirective="REPLACE",
                # Copying tags would need rights on them.
                TaggingDirective="REPLACE",
            )


@contextmanager
def _translating(key: str) -> Iterator[None]:
    """Raise NotFound where S3 says that `key` is missing."""
    try:
        yield
    except ClientError as error:
        if code_of(error) in MISSING:
            raise NotFound(f"{key!r} is not in the bucket (any more)") from error
        raise
