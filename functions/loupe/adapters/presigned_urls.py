"""Presigned URLs: browsers exchange images with S3 directly."""

import mimetypes
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from loupe.domain.images import MAX_BYTES, MEDIA_TYPES
from loupe.domain.keys import people

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SECONDS = 3600


@dataclass(frozen=True)
class PresignedPost:
    """A presigned POST: the form that takes one file."""

    url: str
    fields: dict[str, str]


class PresignedUrls:
    """The bucket's images for a browser. `client` is `boto3.client("s3")`."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @property
    def origin(self) -> str:
        """The origin of the URLs, for a content security policy."""
        parts = urlsplit(self.get("x"))
        return f"{parts.scheme}://{parts.netloc}"

    def get(self, key: str, version: str = "") -> str:
        """A URL that shows an object (version) for an hour, always as a PNG or JPEG image.

        Shown as an SVG, an object could run scripts, whatever its name says.
        """
        content_type = mimetypes.guess_type(key)[0]
        request = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentType": content_type if content_type in MEDIA_TYPES else MEDIA_TYPES[0],
        }
        if version:
            request["VersionId"] = version
        return self._client.generate_presigned_url("get_object", Params=request, ExpiresIn=SECONDS)

    def post(self, key: str, content_type: str, by: str) -> PresignedPost:
        """A form that uploads one image of `content_type`, at most 15 MB, to `key`."""
        fields = {"Content-Type": content_type, "x-amz-meta-loupe-by": people([by])}
        conditions: list[Any] = [{name: value} for name, value in fields.items()]
        conditions.append(["content-length-range", 1, MAX_BYTES])
        signed = self._client.generate_presigned_post(
            self._bucket, key, Fields=fields, Conditions=conditions, ExpiresIn=SECONDS
        )
        return PresignedPost(signed["url"], signed["fields"])
