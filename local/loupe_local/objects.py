"""The stack's own S3, as the services of this package read and write it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from loupe_local.credentials import Credentials
from loupe_local.environment import REGION


class NoSuchObjectError(Exception):
    """There is no such bucket, object or version."""


@dataclass(frozen=True)
class Location:
    """An object, or one version of it."""

    bucket: str
    key: str
    version: str | None = None

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def arn(self) -> str:
        """What a policy names it by."""
        return f"{self.bucket_arn}/{self.key}"

    @property
    def bucket_arn(self) -> str:
        """What a policy names its bucket by."""
        return f"arn:aws:s3:::{self.bucket}"

    def request(self) -> dict[str, str]:
        """As S3's operations take it."""
        place = {"Bucket": self.bucket, "Key": self.key}
        return place | ({"VersionId": self.version} if self.version else {})


class Objects:
    """Reads and writes objects at `endpoint` with the rights of the account's root."""

    def __init__(self, endpoint: str, root: Credentials) -> None:
        self._endpoint = endpoint
        self._root = root

    @cached_property
    def _client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self._endpoint,
            region_name=REGION,
            aws_access_key_id=self._root.key_id,
            aws_secret_access_key=self._root.secret,
            config=Config(s3={"addressing_style": "path"}, max_pool_connections=32),
        )

    def size(self, place: Location) -> int:
        """How many bytes an object has."""
        try:
            return int(self._client.head_object(**place.request())["ContentLength"])
        except ClientError as error:
            raise NoSuchObjectError(str(place)) from error

    def read(self, place: Location) -> bytes:
        """An object, whole."""
        try:
            body: bytes = self._client.get_object(**place.request())["Body"].read()
        except ClientError as error:
            raise NoSuchObjectError(str(place)) from error
        return body

    def write(self, place: Location, body: bytes, content: str) -> None:
        """Puts an object."""
        try:
            self._client.put_object(**place.request(), Body=body, ContentType=content)
        except ClientError as error:
            raise NoSuchObjectError(str(place)) from error

    def address(self, place: Location) -> str:
        """Where a browser can see an object for an hour."""
        return str(
            self._client.generate_presigned_url(
                "get_object", Params=place.request(), ExpiresIn=3600
            )
        )

    def has_bucket(self, bucket: str) -> bool:
        """Whether there is such a bucket."""
        try:
            self._client.head_bucket(Bucket=bucket)
        except ClientError:
            return False
        return True
