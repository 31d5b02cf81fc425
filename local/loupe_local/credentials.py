"""The operator's credentials of one embedded stack: made at random, kept in its home."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "LKIA"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ID_LENGTH = 16
SECRET_BYTES = 30
"""40 characters, as many as a secret of AWS has."""


@dataclass(frozen=True)
class Credentials:
    """An access key of the account's root."""

    key_id: str
    secret: str = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """As the AWS CLI, SAM and the SDKs read them."""
        return {"AWS_ACCESS_KEY_ID": self.key_id, "AWS_SECRET_ACCESS_KEY": self.secret}


def of(environment: Mapping[str, str]) -> Credentials:
    """The credentials that are in an environment."""
    return Credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])


def make(file: Path) -> Credentials:
    """The credentials in `file`, which is made if it is missing and only its owner may read."""
    if not file.exists():
        letters = "".join(secrets.choice(ALPHABET) for _ in range(ID_LENGTH))
        made = {"key_id": PREFIX + letters, "secret": secrets.token_urlsafe(SECRET_BYTES)}
        partial = file.with_name(f"{file.name}.partial")
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        partial.write_text(json.dumps(made))
        partial.replace(file)
    file.chmod(0o600)
    return read(file)


def read(file: Path) -> Credentials:
    """The credentials in `file`.

    Raises:
        OSError: there is no such file, or it belongs to somebody else.
        ValueError: it does not hold credentials.
    """
    kept = json.loads(file.read_text())
    try:
        return Credentials(kept["key_id"], kept["secret"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{file} does not hold credentials") from error
