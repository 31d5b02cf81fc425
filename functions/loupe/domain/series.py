"""Images that belong together, such as frames of one video or views of one part: a series.

All images of a series are on one side of the holdout: a version that was trained on one frame of a
video knows the next one already. An image names its series in its metadata `group`; otherwise the
setting `Group-Images-By` says by what series are recognised.
"""

import hashlib
import posixpath
import re
from collections.abc import Mapping

from loupe.domain.keys import DETECTION_PREFIX, LABELLED_PREFIX

GROUP = "group"
"""The metadata of S3 (`x-amz-meta-group`) that names an image's series, whatever its label."""
FOLDER = "loupe-folder"
"""The metadata by which a copy keeps the folder of its original."""
NAME_BEFORE_LAST_PART = re.compile(r"(.+)[_-]")


def series_of(key: str, label: str, metadata: Mapping[str, str], group_by: str) -> str:
    """The id of the labelled image's series, or "" for an image on its own.

    `group_by` is `none`, `folder` (images of a label in one folder below it) or `prefix` (those of
    them whose names are equal up to the last `_` or `-`).
    """
    if group := metadata.get(GROUP, ""):
        return _hashed("group", group)
    folder = metadata.get(FOLDER) or _folder(key)
    if group_by == "folder" and folder:
        return _hashed("folder", label, folder)
    name = NAME_BEFORE_LAST_PART.match(posixpath.splitext(posixpath.basename(key))[0])
    if group_by == "prefix" and name:
        return _hashed("prefix", label, folder, name[1])
    return ""


def carried(key: str, metadata: Mapping[str, str]) -> Mapping[str, str]:
    """The metadata by which a copy of `key` under another name stays in its series."""
    folder = metadata.get(FOLDER) or _folder(key)
    kept = {GROUP: metadata.get(GROUP, ""), FOLDER: folder}
    return {name: value for name, value in kept.items() if value}


def _folder(key: str) -> str:
    """The folder below the label, or below the images for detection, derived from its name."""
    if key.startswith(LABELLED_PREFIX):
        name = key.removeprefix(LABELLED_PREFIX).partition("/")[2]
    else:
        name = key.removeprefix(DETECTION_PREFIX)
    folder = posixpath.dirname(name)
    return _hashed(folder) if folder else ""


def _hashed(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
