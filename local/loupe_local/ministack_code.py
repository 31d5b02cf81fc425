"""A package of functions is unpacked once for all workers, who find it compiled after the first.

MiniStack unpacks it anew for each worker: time and disk for every cold start.
"""

# ruff: noqa: PLC0415
# MiniStack reads the environment when it is imported, so it is imported when it is first needed.

import hashlib
import tempfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_one_at_a_time = threading.Lock()


def mend() -> None:
    """Applies the change to workers that start from now on."""
    from ministack.core import lambda_runtime

    errors = {"BadZipFile": zipfile.BadZipFile, "LargeFileError": zipfile.LargeZipFile}
    lambda_runtime.zipfile = SimpleNamespace(ZipFile=SharedPackage, **errors)


class SharedPackage(zipfile.ZipFile):
    """Unpacks into a folder that all get who unpack the same; as in AWS, it is not for writing."""

    def extractall(self, path: Any = None, *_: Any, **__: Any) -> None:
        """Make `path`, an empty folder, a link to the folder with what the package holds."""
        place = Path(path)
        assert self.filename is not None
        digest = hashlib.sha256(Path(self.filename).read_bytes()).hexdigest()
        folder = Path(tempfile.gettempdir()) / f"package-{digest}"
        with _one_at_a_time:
            if not folder.exists():
                self._unpack(folder)
        place.rmdir()
        place.symlink_to(folder)

    def _unpack(self, folder: Path) -> None:
        # Under its name only when it is whole: a full disk must not leave half a package.
        half = Path(tempfile.mkdtemp(prefix="package-"))
        super().extractall(half)
        half.rename(folder)
