"""Which errors of services pass by themselves."""

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

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


def is_passing(error: BaseException) -> bool:
    """Whether the same request may succeed later: throttling, a fault of the service, a timeout."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error.response["Error"]["Code"] in BUSY or status >= 500
    if isinstance(error, BotoCoreError):
        return isinstance(error, HTTPClientError)
    return isinstance(error, TryAgain)
