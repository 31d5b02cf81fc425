"""Which requests the embedded stack takes, judged by what a web page cannot change of its own.

A browser sends requests for any page that is open in it, to 127.0.0.1 as to any other address.
What it sends along says where the page is from: `Host` the name that was asked for (another's, when
that name was rebound to this machine), `Origin` and `Referer` the page, `Sec-Fetch-Site` how far it
is from here. Whatever is not from the stack's own page or a program of this machine is refused,
before anything else. Everything but a few addresses must also be signed, which no page can do.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from loupe_local.http.wire import Request

NAMES = ("127.0.0.1", "localhost")
CONTAINERS = "host.docker.internal"
"""What containers call this machine; the port in front of them need not be ours."""
HEALTH = "/_loupe/health"
PORTAL = "/_loupe/a2i"
CUSTOM_RESOURCES = "/_ministack/cfn-response/"
"""Where functions answer CloudFormation, at an address that only they have been handed."""
CLOSED = ("/_ministack/", "/_localstack/")
"""MiniStack's own switches (reset, configuration, messages), of which Loupe needs none."""
COGNITO = "AWSCognitoIdentityProviderService."
SIGN_IN = frozenset(
    COGNITO + operation
    for operation in (
        "InitiateAuth",
        "RespondToAuthChallenge",
        "ForgotPassword",
        "ConfirmForgotPassword",
        "RevokeToken",
    )
)
"""What a person who is not yet signed in asks Cognito; AWS takes them unsigned, too."""
FORM = "multipart/form-data"
POOL_KEYS = re.compile(r"/[a-z0-9-]+_[A-Za-z0-9]+/\.well-known/jwks\.json")
"""A user pool's public keys, which the console's authorizer reads; no bucket has such a name."""


@dataclass(frozen=True)
class Admission:
    """The rules of one stack, which answers on two ports.

    `takes_forms` says whether a path is that of a bucket.
    """

    port: int
    console_port: int
    takes_forms: Callable[[str], bool]

    def objection(self, request: Request) -> str:
        """Why a request is refused whoever signed it, or ""."""
        if not self._is_own_host(request.headers.get("host", "")):
            return "Host names another machine"
        if "origin" in request.headers and not self._is_own(request.headers["origin"]):
            return "Origin is another page"
        if "referer" in request.headers and not self._is_own(request.headers["referer"]):
            return "Referer is another page"
        if request.headers.get("sec-fetch-site", "none") not in (
            "none",
            "same-origin",
            "same-site",
        ):
            return "Sec-Fetch-Site is another site"
        if request.path.startswith(CLOSED) and not _answers_cloudformation(request):
            return "this address is closed"
        return ""

    def needs_signature(self, request: Request, port: int) -> bool:
        """Whether a request that came in at `port` must be signed: the console's API, which has
        its own sign-in and for applications IAM, decides for itself.

        One that brings an `Authorization` of any kind must: MiniStack reads the service from it,
        and takes one that names no key for its own.
        """
        if port == self.console_port:
            return False
        if "authorization" in request.headers:
            return True
        if "x-amz-target" in request.headers:
            return not _signs_in(request)
        return not (
            _asks_first(request)
            or request.path == HEALTH
            or is_below(request.path, PORTAL)
            or _answers_cloudformation(request)
            or _reads_pool_keys(request)
            or self._is_form(request)
        )

    def _is_form(self, request: Request) -> bool:
        """An upload by a form, whose signature is in it: S3 checks it (`patches.access`)."""
        content = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_form = (request.method, content) == ("POST", FORM) and not request.query
        return is_form and self.takes_forms(request.path)

    def _is_own_host(self, host: str) -> bool:
        return host.partition(":")[0] == CONTAINERS or host in self._addresses

    def _is_own(self, address: str) -> bool:
        """Whether a page is served here: containers have none."""
        try:
            parts = urlsplit(address)
        except ValueError:
            return False
        return parts.scheme == "http" and parts.netloc in self._addresses

    @property
    def _addresses(self) -> set[str]:
        return {f"{name}:{port}" for name in NAMES for port in (self.port, self.console_port)}


def is_below(path: str, place: str) -> bool:
    """Whether `path` is `place`, or something in it."""
    return path == place or path.startswith(f"{place}/")


def _answers_cloudformation(request: Request) -> bool:
    return request.method == "PUT" and request.path.startswith(CUSTOM_RESOURCES)


def _signs_in(request: Request) -> bool:
    target = request.headers.get("x-amz-target", "")
    is_call = (request.method, request.path) == ("POST", "/") and not request.query
    return is_call and target in SIGN_IN


def _asks_first(request: Request) -> bool:
    """A browser's question whether the console's page may call S3 or Cognito."""
    return request.method == "OPTIONS" and not request.path.startswith("/_")


def _reads_pool_keys(request: Request) -> bool:
    is_key = request.method == "GET" and POOL_KEYS.fullmatch(request.path) is not None
    return is_key and not request.query
