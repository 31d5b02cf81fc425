"""Functions: their code is hashed and unpacked once, and their errors have the names of AWS."""

import hashlib
import tempfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from loupe_local.http.wire import Json

HASHED_PACKAGES = 100
"""Packages of functions whose hash is remembered."""
RAISED = "loupe:raised"
"""Marks a worker's answer that is an exception of the handler."""

REPORT = (
    '_real_stdout.write(json.dumps({"status": "error", "error": str(e), '
    '"trace": traceback.format_exc()}) + "\\n")'
)
"""How MiniStack's worker reports an exception of the handler: without its class."""

REPORT_WITH_NAME = (
    "traceback.print_exc(); "
    f'_real_stdout.write(json.dumps({{"status": "ok", "result": {{"{RAISED}": {{'
    '"errorMessage": str(e), "errorType": type(e).__name__, '
    '"stackTrace": traceback.format_tb(e.__traceback__)}}}) + "\\n")'
)
"""An answer like any other, because an exception does not end a worker in AWS either."""

_one_at_a_time = threading.Lock()


def apply() -> None:
    """Apply all changes, to workers that start from now on."""
    _hash_code_once()
    _unpack_code_once()
    _name_exceptions()


def _hash_code_once() -> None:
    """Spares hashing the code of every function at every save."""
    write = lambda_svc._write_code_blob
    hashed: dict[int, tuple[bytes, str]] = {}  # holds the bytes, so that an id is not used again

    def write_code_blob(code: bytes) -> str:
        kept = hashed.get(id(code))
        if kept is None or not Path(lambda_svc.CODE_BLOB_DIR, f"{kept[1]}.zip").exists():
            if len(hashed) >= HASHED_PACKAGES:
                hashed.clear()  # mostly code of functions that have been replaced
            kept = hashed[id(code)] = (code, str(write(code)))
        return kept[1]

    lambda_svc._write_code_blob = write_code_blob


def _unpack_code_once() -> None:
    """A package is unpacked once for all workers, who find it compiled after the first.

    MiniStack unpacks it anew for each worker: time and disk for every cold start.
    """
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


def _name_exceptions() -> None:
    """`errorType` is the exception's class, as Lambda says; MiniStack calls every one the same."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if REPORT not in script:
        raise LookupError("MiniStack's Python worker reports exceptions in another way now")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(REPORT, REPORT_WITH_NAME)
    execute = lambda_svc._execute_function_warm

    def execute_function_warm(*arguments: Any) -> Json:
        answer: Json = execute(*arguments)
        body = answer.get("body")
        if isinstance(body, dict) and RAISED in body:
            return {**answer, "body": body[RAISED], "error": True}
        return answer

    lambda_svc._execute_function_warm = execute_function_warm
