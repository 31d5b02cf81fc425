"""What the embedded stack runs with: its address, credentials, files and MiniStack's settings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
DEFAULT_PORT = 4566
DEFAULT_CONSOLE_PORT = 4567
REGION = "us-east-1"
ACCOUNT = "000000000000"


@dataclass(frozen=True)
class Home:
    """Where one embedded stack keeps everything; nothing is written elsewhere."""

    path: Path

    @property
    def state(self) -> Path:
        """What MiniStack's services know, one JSON file a service."""
        return self.path / "state"

    @property
    def objects(self) -> Path:
        """S3 objects."""
        return self.path / "s3"

    @property
    def database(self) -> Path:
        """Rekognition and A2I."""
        return self.path / "rekognition.sqlite"

    @property
    def journal(self) -> Path:
        """What changes too often to be saved whole: items, stream records and messages."""
        return self.path / "journal.sqlite"

    @property
    def models(self) -> Path:
        """A folder for each model version: what it was trained on, and the model."""
        return self.path / "models"

    @property
    def faults(self) -> Path:
        """What the local Rekognition and A2I get wrong on purpose, if anything."""
        return self.path / "faults.json"

    @property
    def credentials(self) -> Path:
        """The operator's access key, made at the first start."""
        return self.path / "credentials.json"

    @property
    def scratch(self) -> Path:
        """Temporary files, emptied at every start."""
        return self.path / "tmp"

    @property
    def log(self) -> Path:
        """What the server and the functions print."""
        return self.path / "stack.log"

    @property
    def server_file(self) -> Path:
        """Process and port of the running server; its lock is held while the server lives."""
        return self.path / "server.json"

    @property
    def console_port_file(self) -> Path:
        """The console's port, for the same reason."""
        return self.path / "console-port"

    @property
    def port_file(self) -> Path:
        """The port of the last run, so that the address stays the same."""
        return self.path / "port"


def url(port: int) -> str:
    """The one address that answers for every service."""
    return f"http://{HOST}:{port}"


def client_environment(port: int) -> dict[str, str]:
    """What lets the AWS CLI, SAM and boto3 reach the stack; they need credentials besides."""
    return {
        "AWS_ENDPOINT_URL": url(port),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


OTHER_ACCOUNTS = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ENDPOINT_URL_",
)
"""How the names begin of what would make a client use somebody's real account instead."""


def without_other_accounts(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what leads to any account."""
    return {
        name: value for name, value in environment.items() if not name.startswith(OTHER_ACCOUNTS)
    }


def server_environment(home: Home, port: int) -> dict[str, str]:
    """What MiniStack reads when it is imported."""
    return client_environment(port) | {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "AUTH": "true",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home.state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home.objects),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "MINISTACK_REGION": REGION,
        "TMPDIR": str(home.scratch),
        # Whatever the user's own files say is not for this stack and its functions.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        # MiniStack looks for a Docker daemon to clean up after; this stack uses none.
        "DOCKER_HOST": f"unix://{home.path}/no-docker.sock",
    }


def code_environment() -> dict[str, str]:
    """The environment of a process that runs a module of this package."""
    return os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}


def adopt(settings: Mapping[str, str]) -> None:
    """Makes this process run with `settings`, for itself and for what it starts."""
    kept = without_other_accounts(os.environ)
    for name in os.environ.keys() - kept.keys():
        del os.environ[name]
    os.environ.update(settings)
