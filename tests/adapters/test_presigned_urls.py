"""Business rule: a signed address leads to the bucket in its own Region, and the page lets it."""

import base64
import json
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from loupe.console.page import _policy
from loupe.wiring import Deps

HOSTS = {
    "us-east-1": "images.s3.amazonaws.com",
    "eu-central-1": "images.s3.eu-central-1.amazonaws.com",
    "ap-northeast-2": "images.s3.ap-northeast-2.amazonaws.com",
    "ap-east-1": "images.s3.ap-east-1.amazonaws.com",
    "cn-north-1": "images.s3.cn-north-1.amazonaws.com.cn",
}
every_region = pytest.mark.parametrize(("region", "host"), HOSTS.items())


def wired(region: str, **environment: str) -> Deps:
    """The dependencies of a function in a Region."""
    session = boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name=region
    )
    return Deps({"LOUPE_BUCKET": "images", **environment}, session)


@every_region
def test_an_address_names_the_regions_own_host(region: str, host: str) -> None:
    urls = wired(region).presigned_urls
    shown = urlsplit(urls.get("a b.png"))
    post = urlsplit(urls.post("a.png", "image/png", "ann").url)

    assert (shown.scheme, shown.netloc, shown.path) == ("https", host, "/a%20b.png")
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in shown.query
    assert (post.scheme, post.netloc, post.path) == ("https", host, "/")


@every_region
def test_the_page_may_show_and_send_images_there(region: str, host: str) -> None:
    policy = dict(part.split(" ", 1) for part in _policy(wired(region)).split("; "))

    assert f"https://{host}" in policy["img-src"].split()
    assert f"https://{host}" in policy["connect-src"].split()


@pytest.mark.parametrize("host", ["127.0.0.1:4566", "host.docker.internal:4566"])
def test_at_a_given_address_the_bucket_is_in_the_path(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}")
    urls = wired("us-east-1", AWS_ENDPOINT_URL=f"http://{host}").presigned_urls

    assert urls.get("a.png").startswith(f"http://{host}/images/a.png?")
    assert urls.post("a.png", "image/png", "ann").url == f"http://{host}/images"


@pytest.mark.parametrize(
    ("key", "content_type"),
    [
        ("a.png", "image/png"),
        ("a.jpg", "image/jpeg"),
        ("a.html", "image/png"),
        ("a.svg", "image/png"),
        ("a", "image/png"),
    ],
)
def test_an_address_shows_an_image_and_nothing_else(key: str, content_type: str) -> None:
    """Whatever type an upload says it has, no browser runs it on the bucket's origin."""
    shown = parse_qs(urlsplit(wired("eu-west-1").presigned_urls.get(key)).query)

    assert shown["response-content-type"] == [content_type]


def test_a_form_fixes_key_type_and_size() -> None:
    post = wired("eu-west-1").presigned_urls.post("images_for_detection/a.png", "image/png", "ann")

    conditions = json.loads(base64.b64decode(post.fields["policy"]))["conditions"]
    assert {"key": "images_for_detection/a.png"} in conditions
    assert {"Content-Type": "image/png"} in conditions
    assert ["content-length-range", 1, 15 * 1024 * 1024] in conditions
    assert post.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
