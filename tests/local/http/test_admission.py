"""Which requests the embedded stack takes, by their head alone."""

import pytest

from loupe_local.http.admission import Admission
from loupe_local.http.wire import Request

HERE = Admission(4566, 4567, lambda path: path == "/bucket")
OWN = "127.0.0.1:4566"
OF_COGNITO = "AWSCognitoIdentityProviderService."


def request(method: str = "GET", path: str = "/", query: str = "", **headers: str) -> Request:
    """A request whose Host is this stack's, unless `host` says otherwise; "" leaves it out."""
    given = {"host": OWN} | {name.replace("_", "-"): value for name, value in headers.items()}
    shown = {name: value for name, value in given.items() if value}
    return Request(method, path, {"q": query} if query else {}, shown)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "localhost:4567"},
        {"host": "host.docker.internal:49152"},
        {"origin": "http://127.0.0.1:4567"},
        {"origin": "http://127.0.0.1:4567", "sec_fetch_site": "same-site"},
        {"referer": "http://localhost:4566/_loupe/a2i?worker=ann"},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
    ],
)
def test_own_pages_and_programs_are_taken(headers: dict[str, str]) -> None:
    """Given the stack's own page, or a program, then nothing is held against its request."""
    assert HERE.objection(request(**headers)) == ""


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"host": ""}, "Host"),
        ({"host": "attacker.example:4566"}, "Host"),
        ({"host": "127.0.0.1.attacker.example:4566"}, "Host"),
        ({"host": "bucket.localhost:4566"}, "Host"),
        ({"host": "127.0.0.1:3000"}, "Host"),
        ({"host": "127.0.0.1"}, "Host"),
        ({"host": f"{OWN}, attacker.example"}, "Host"),
        ({"origin": "null"}, "Origin"),
        ({"origin": "https://attacker.example"}, "Origin"),
        ({"origin": "https://127.0.0.1:4566"}, "Origin"),
        ({"origin": "http://127.0.0.1:3000"}, "Origin"),
        ({"origin": "http://127.0.0.1:4566@attacker.example"}, "Origin"),
        ({"origin": "http://[attacker"}, "Origin"),
        ({"referer": "http://127.0.0.1:3000/page"}, "Referer"),
        ({"referer": "https://attacker.example/127.0.0.1:4566"}, "Referer"),
        ({"sec_fetch_site": "cross-site"}, "Sec-Fetch-Site"),
        ({"sec_fetch_site": "something-new"}, "Sec-Fetch-Site"),
        ({"origin": "http://127.0.0.1:4567", "sec_fetch_site": "cross-site"}, "Sec-Fetch-Site"),
    ],
)
def test_other_pages_are_refused(headers: dict[str, str], reason: str) -> None:
    """Given a page from elsewhere or a rebound name, then its request is refused, and why."""
    assert reason in HERE.objection(request(**headers))


@pytest.mark.parametrize(
    "path",
    ["/_ministack/reset", "/_ministack/config", "/_ministack/sqs/messages", "/_localstack/x"],
)
def test_ministacks_own_switches_are_closed(path: str) -> None:
    """Given an address that resets or shows everything, then nobody may use it."""
    assert HERE.objection(request("POST", path)) == "this address is closed"
    assert HERE.objection(request("PUT", path)) == "this address is closed"


@pytest.mark.parametrize(
    "asked",
    [
        request(path="/_loupe/health"),
        request(path="/_loupe/a2i"),
        request("POST", "/_loupe/a2i/loops/l/answers"),
        request("PUT", "/_ministack/cfn-response/token"),
        request("POST", x_amz_target=f"{OF_COGNITO}InitiateAuth"),
        request("OPTIONS", "/bucket"),
        request(path="/us-east-1_aB3/.well-known/jwks.json"),
        request("POST", "/bucket", content_type="multipart/form-data; boundary=b"),
    ],
)
def test_a_short_list_needs_no_signature(asked: Request) -> None:
    """Given what AWS takes unsigned or a page of the stack, then it may come without a key."""
    assert not HERE.needs_signature(asked, 4566)
    assert HERE.objection(asked) == ""


@pytest.mark.parametrize(
    "asked",
    [
        request(),
        request(path="/bucket/key"),
        request(path="/health"),
        request(path="/bucket/.well-known/jwks.json"),
        request(path="/us-east-1_aB3/.well-known/openid-configuration"),
        request(path="/_loupe/healthy"),
        request(path="/_loupe/a2i-other"),
        request(path="/_aws/execute-api/abc/$default/"),
        request("OPTIONS", "/_aws/lambda-url/abc/"),
        request(path="/_ministack/cfn-response/token"),
        request("POST", x_amz_target=f"{OF_COGNITO}AdminCreateUser"),
        request("POST", x_amz_target=f"{OF_COGNITO}SignUp"),
        request("POST", "/bucket/key", content_type="multipart/form-data"),
        request("POST", "/b", "CreateStack", content_type="multipart/form-data"),
        request("POST", "/b", content_type="multipart/form-data", x_amz_target="DynamoDB.PutItem"),
        request("POST", "/", content_type="multipart/form-data"),
        request("POST", "/clusters", content_type="multipart/form-data"),
        request("POST", "/bucket", content_type="multipart/form-data", authorization="Bearer x"),
        request("POST", x_amz_target=f"{OF_COGNITO}InitiateAuth", authorization="x"),
        request("POST", "/", "Action=ListUsers", x_amz_target=f"{OF_COGNITO}InitiateAuth"),
        request(path="/us-east-1_aB3/.well-known/jwks.json", authorization="x"),
        request(path="/us-east-1_aB3/.well-known/jwks.json", x_amz_target="DynamoDB.ListTables"),
        request("GET", "/us-east-1_aB3/.well-known/jwks.json", "Action=ListUsers"),
        request("PUT", "/_ministack/cfn-response/token", authorization="x"),
        request("OPTIONS", "/bucket", authorization="x"),
    ],
)
def test_everything_else_does(asked: Request) -> None:
    """Given anything that is not on the list, then it must be signed."""
    assert HERE.needs_signature(asked, 4566)


def test_the_console_signs_in_by_itself() -> None:
    """Given the console's port, which leads to its API alone, then its authorizer decides."""
    assert not HERE.needs_signature(request(path="/api/models"), 4567)
