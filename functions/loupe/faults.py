"""Which errors of services pass by themselves."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

from loupe.errors import TryAgain

BUSY = {
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}

UNREACHABLE = (NoConnection, HTTPClientError)
"""What botocore raises when a service cannot be reached, or does not answer in time."""
SERVICE_ERRORS = (ClientError, *UNREACHABLE)
"""What a call of a service raises if no adapter translates it."""


def code_of(error: ClientError) -> str:
    """The code of a service's error, such as "ThrottlingException"."""
    return error.response["Error"]["Code"]


@contextmanager
def ignoring(*codes: str) -> Iterator[None]:
    """Suppress a service's errors with one of `codes`."""
    try:
        yield
    except ClientError as error:
        if code_of(error) not in codes:
            raise


def is_passing_name(name: str) -> bool:
    """Whether the error that ended a state machine passes; a service's error has a prefix."""
    return name.rpartition(".")[2] in BUSY | {TryAgain.__name__}


def is_passing(error: BaseException) -> bool:
    """Whether the same request may succeed later: throttling, a fault of the service, a timeout."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code_of(error) in BUSY or status >= 500
    return isinstance(error, (TryAgain, *UNREACHABLE))
