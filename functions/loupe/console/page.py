"""The page itself: the files that the layer brings, and what a browser may do with them."""

from functools import cache
from importlib.resources import files
from mimetypes import guess_type
from typing import Annotated, Any, TypedDict

from aws_lambda_powertools.event_handler import Response

from loupe.console.requests import Api
from loupe.console.schema import Text
from loupe.domain.images import MAX_BYTES, MEDIA_TYPES
from loupe.domain.keys import NONE_OF_THE_ABOVE
from loupe.errors import NotFound
from loupe.wiring import Deps, deps

LAYER = "loupe_page"
LONGEST_NAME = 200
"""In bytes; a file system takes 255, with the ending of a compressed file."""
FOR_EVER = "public, max-age=31536000, immutable"
"""An asset's name changes with its content."""

router = Api()


class Config(TypedDict):
    """What the page must know before anybody signs in; `cognito` is the address of its API."""

    stack: str
    client_id: str
    cognito: str
    image_bytes: int
    image_types: list[str]
    none_of_the_above: str
    asked_by_a2i: bool
    billed: bool


@router.offer("GET", "/")
def page() -> Response[Any]:
    """The page."""
    return _file("index.html", "no-cache", deps())


@router.offer("GET", "/assets/<name>")
def asset(name: Annotated[str, Text(LONGEST_NAME)]) -> Response[Any]:
    """A script, style, font or picture of the page."""
    return _file(f"assets/{name}", FOR_EVER, deps())


@router.offer("GET", "/api/config")
def config() -> Config:
    """What the page must know before anybody signs in; nothing of it is secret."""
    return {
        "stack": deps().value("STACK"),
        "client_id": deps().value("USER_POOL_CLIENT"),
        "cognito": deps().sign_in_endpoint,
        "image_bytes": MAX_BYTES,
        "image_types": list(MEDIA_TYPES),
        "none_of_the_above": NONE_OF_THE_ABOVE,
        "asked_by_a2i": deps().loops is not None,
        "billed": deps().is_billed,
    }


def _file(path: str, caching: str, deps: Deps) -> Response[Any]:
    body, encoding = _read(path)
    headers = {
        "Cache-Control": caching,
        "Content-Security-Policy": _policy(deps),
        "Referrer-Policy": "no-referrer",
        "Strict-Transport-Security": "max-age=31536000",
        **({"Content-Encoding": encoding} if encoding else {}),
    }
    kind = guess_type(path)[0] or "application/octet-stream"
    return Response(status_code=200, content_type=kind, headers=headers, body=body)


@cache
def _read(path: str) -> tuple[bytes, str]:
    """A file of the layer and its encoding: it holds texts compressed already."""
    place = files(LAYER)
    for name, encoding in ((f"{path}.gz", "gzip"), (path, "")):
        found = place.joinpath(name)
        if found.is_file():
            return found.read_bytes(), encoding
    raise NotFound(f"There is no {path}.")


def _policy(deps: Deps) -> str:
    """Only the page's own scripts run; images and answers come only from where Loupe has them."""
    images = deps.presigned_urls.origin
    directives = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        f"img-src 'self' blob: data: {images}",
        f"connect-src 'self' {images} {deps.sign_in_endpoint}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return "; ".join(directives)
