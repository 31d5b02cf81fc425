"""Slots for files: which may come, and where they go."""

import posixpath
from collections.abc import Callable, Mapping
from typing import Any

from loupe.adapters.pictures import LARGEST, TYPES, Pictures
from loupe.console.requests import LARGEST_PAGE
from loupe.errors import InvalidRequest

LONGEST_KEY = 1024

Place = Callable[[str, Mapping[str, Any]], str]


def slots(sent: Mapping[str, Any], place: Place, by: str, pictures: Pictures) -> dict[str, Any]:
    """A presigned POST for each file of `{"files": [{"name", "size", "type"}]}`, or why not.

    `place` gives the key that a file goes to, of its name and of all that was said of it.
    """
    files = sent.get("files")
    if not isinstance(files, list) or not 0 < len(files) <= LARGEST_PAGE:
        raise InvalidRequest(f"The request needs 'files', a list of 1 to {LARGEST_PAGE} files.")
    return {"slots": [_slot(file, place, by, pictures) for file in files]}


def _slot(file: Any, place: Place, by: str, pictures: Pictures) -> dict[str, Any]:
    try:
        name, size, kind = str(file["name"]), int(file["size"]), str(file["type"])
    except (TypeError, KeyError, ValueError) as error:
        raise InvalidRequest("A file needs 'name', 'size' in bytes and 'type'.") from error
    try:
        key = place(_checked(name, size, kind), file)
        if len(key.encode()) > LONGEST_KEY:
            raise InvalidRequest(f"{name!r} is longer than a name can be: shorten it.")
    except InvalidRequest as error:
        return {"name": name, "error": str(error)}
    slot = pictures.slot(key, kind, by)
    return {"name": name, "url": slot.url, "fields": slot.fields}


def _checked(name: str, size: int, kind: str) -> str:
    parts = name.split("/")
    if not posixpath.basename(name) or any(part in ("", ".", "..") for part in parts):
        raise InvalidRequest(f"{name!r} is no file name.")
    if any(ord(character) < 32 for character in name):
        raise InvalidRequest(f"{name!r} has characters that no name can have: rename it.")
    if kind not in TYPES:
        raise InvalidRequest(f"{name!r} is not a PNG or JPEG image: convert it first.")
    if not 0 < size <= LARGEST:
        megabytes = f"{size / 2**20:.1f} MB" if size else "empty"
        raise InvalidRequest(
            f"{name!r} is {megabytes}: an image has at most 15 MB. Make it smaller."
        )
    return name
