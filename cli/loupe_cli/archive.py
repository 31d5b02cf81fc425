"""The folder that `loupe export` writes and `loupe import` reads; docs/export.md describes it."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from loupe.errors import InvalidRequest

FORMAT = 1
LONGEST_NAME = 200
"""Bytes of a file's name, which every file system takes."""


@dataclass(frozen=True)
class Archive:
    """One exported stack."""

    folder: Path

    def begin(self, about: Mapping[str, Any]) -> None:
        """Make the folder; raises InvalidRequest when something is in it already."""
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise InvalidRequest(f"{self.folder} is not an empty folder: name a new one.")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write("export", {"format": FORMAT, **about})

    def check(self) -> dict[str, Any]:
        """What was exported; raises InvalidRequest when the folder is no export."""
        if not (self.folder / "export.json").is_file():
            raise InvalidRequest(f"{self.folder} is no folder that 'loupe export' has written.")
        about = self.read("export")
        if about.get("format") != FORMAT:
            raise InvalidRequest(
                f"{self.folder} has the format {about.get('format')!r}, and this is Loupe for "
                f"format {FORMAT}: import it with the Loupe that exported it."
            )
        return about

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        """`<name>.json`."""
        text = json.dumps(value, ensure_ascii=False, indent=1)
        (self.folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")

    def read(self, name: str) -> dict[str, Any]:
        """What `write` wrote; raises InvalidRequest when it cannot be read."""
        try:
            value = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidRequest(f"{self.folder / name}.json cannot be read: {error}") from error
        if not isinstance(value, dict):
            raise InvalidRequest(f"{self.folder / name}.json holds no JSON object.")
        return value

    def write_lines(self, name: str, records: Iterable[Mapping[str, Any]]) -> int:
        """`<name>.jsonl`, one record a line; returns how many."""
        count = 0
        with (self.folder / f"{name}.jsonl").open("w", encoding="utf-8", newline="\n") as file:
            for count, record in enumerate(records, 1):  # noqa: B007
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
        return count

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """What `write_lines` wrote; raises InvalidRequest that names a line that is broken."""
        path = self.folder / f"{name}.jsonl"
        if not path.is_file():
            raise InvalidRequest(f"{path} is missing: the export is not whole.")
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise InvalidRequest(f"{path}, line {number}, is no JSON: {error}") from error

    def save(self, key: str, body: bytes) -> str:
        """Write an object of the bucket; returns the file's path in the folder."""
        name = file_name(key)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return name

    def load(self, name: str) -> bytes:
        """The bytes of a file that `save` wrote; raises InvalidRequest when it is not there."""
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()) or not path.is_file():
            raise InvalidRequest(f"{name!r} is not in {self.folder}: the export is not whole.")
        return path.read_bytes()


def file_name(key: str) -> str:
    """The key itself where it can be a path, else a name made from it."""
    parts = key.split("/")
    plain = all(
        part not in ("", ".", "..") and len(part.encode()) <= LONGEST_NAME and part.isprintable()
        for part in parts
    )
    if plain:
        return key
    suffix = PurePosixPath(key).suffix[:10]
    return f"odd-names/{hashlib.sha256(key.encode()).hexdigest()[:32]}{suffix}"
