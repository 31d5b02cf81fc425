"""Presigned posts for files: which may come, and where they go."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypedDict

from loupe.console.schema import MOST_AT_ONCE, AnyText, Many, Whole, is_clean
from loupe.domain.images import MAX_BYTES, MEDIA_TYPES
from loupe.errors import InvalidRequest
from loupe.wiring import Deps

LONGEST_KEY = 1024
"""In bytes: what S3 takes."""
ANY = AnyText(4 * LONGEST_KEY)
"""What is wrong with one file is said of that file, in its post."""


@dataclass(frozen=True)
class File:
    """What is said of a file: its name, which may hold folders, its bytes and its media type."""

    name: Annotated[str, ANY]
    size: Annotated[int, Whole(0, 2**53)]
    type: Annotated[str, ANY]
    label: Annotated[str, ANY] = ""


@dataclass(frozen=True)
class Uploads:
    """Files that are to be uploaded."""

    files: Annotated[tuple[File, ...], Many(File, MOST_AT_ONCE)]


class Post(TypedDict):
    """Where a file is posted to, and the fields of the form."""

    name: str
    url: str
    fields: dict[str, str]


class NoPost(TypedDict):
    """Why a file cannot come."""

    name: str
    error: str


class Posts(TypedDict):
    """One for each file, in their order."""

    posts: list[Post | NoPost]


def posts(uploads: Uploads, key_of: Callable[[File], str], by: str, deps: Deps) -> Posts:
    """A presigned POST for each file, or why not: one that cannot come stops no other.

    `key_of` says which key a file goes to; it may raise InvalidRequest.
    """
    return {"posts": [_post(file, key_of, by, deps) for file in uploads.files]}


def _post(file: File, key_of: Callable[[File], str], by: str, deps: Deps) -> Post | NoPost:
    try:
        _check(file)
        key = key_of(file)
        if len(key.encode()) > LONGEST_KEY:
            raise InvalidRequest(f"{file.name!r} is longer than a name can be: shorten it.")
    except InvalidRequest as error:
        return {"name": file.name, "error": str(error)}
    post = deps.presigned_urls.post(key, file.type, by)
    return {"name": file.name, "url": post.url, "fields": post.fields}


def _check(file: File) -> None:
    if any(part in ("", ".", "..") for part in file.name.split("/")):
        raise InvalidRequest(f"{file.name!r} is no file name.")
    for text in (file.name, file.label):
        if not is_clean(text):
            raise InvalidRequest(f"{text!r} has characters that no name can have: rename it.")
    if file.type not in MEDIA_TYPES:
        raise InvalidRequest(f"{file.name!r} is not a PNG or JPEG image: convert it first.")
    if not 0 < file.size <= MAX_BYTES:
        megabytes = f"{file.size / 2**20:.1f} MB" if file.size else "empty"
        raise InvalidRequest(
            f"{file.name!r} is {megabytes}: an image has at most 15 MB. Make it smaller."
        )
