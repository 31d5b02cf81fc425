"""Who gets in: keys and signatures, whatever way they come."""

import hashlib
import io
import json
import re
import stat
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as Key
from botocore.exceptions import ClientError

from loupe_local import credentials, stack
from loupe_local.environment import Home
from loupe_local.stack import Endpoint
from tests.local.stack_help import Client, connect, eventually
from tests.ports import free_port

BUCKET = "access"
TEMPLATE = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})


@pytest.fixture(scope="module", autouse=True)
def bucket(client: Client) -> None:
    """A bucket with an object."""
    client("s3").create_bucket(Bucket=BUCKET)
    client("s3").put_object(Bucket=BUCKET, Key="a", Body=b"secret")


def fetch(address: str, method: str = "GET", body: bytes | None = None, **headers: Any) -> int:
    """The status of a plain request."""
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(address, body, shown, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return int(error.code)


def creates_stack(endpoint: Endpoint, key: Key, name: str) -> str:
    """The address of a GET that creates a stack, signed in its query as an `<img>` could send."""
    query = {"Action": "CreateStack", "StackName": name, "TemplateBody": TEMPLATE}
    request = AWSRequest("GET", f"{endpoint.url}/?{urlencode(query)}")
    signer = botocore.auth.SigV4QueryAuth(key, "cloudformation", "us-east-1", expires=60)
    signer.add_auth(request)
    return str(request.url)


def stacks(client: Client) -> set[str]:
    """The names of all stacks there are."""
    found = client("cloudformation").list_stacks()["StackSummaries"]
    return {summary["StackName"] for summary in found}


def own(endpoint: Endpoint) -> Key:
    """The operator's key, as botocore signs with it."""
    return Key(endpoint.credentials.key_id, endpoint.credentials.secret)


@pytest.mark.parametrize(
    "key",
    [
        Key("test", "test"),
        Key("000000000000", "test"),
        Key("AKIAIOSFODNN7EXAMPLE", "x"),
        Key("", ""),
    ],
    ids=lambda key: key.access_key or "none",
)
def test_no_known_key_creates_a_stack(endpoint: Endpoint, client: Client, key: Key) -> None:
    """Given a key that anybody could know, when a GET asks for a stack, then there is none."""
    assert fetch(creates_stack(endpoint, key, "attack")) == 403
    scope = f"{key.access_key}/20260101/us-east-1/cloudformation/aws4_request"
    query = {"Action": "CreateStack", "StackName": "attack", "TemplateBody": TEMPLATE}
    for bare in (query, query | {"X-Amz-Credential": scope}, query | {"AWSAccessKeyId": "test"}):
        assert fetch(f"{endpoint.url}/?{urlencode(bare)}") == 403
    assert "attack" not in stacks(client)


def test_the_operators_key_needs_its_secret(endpoint: Endpoint, client: Client) -> None:
    """Given the operator's key id with another secret, then every service refuses it."""
    wrong = Key(endpoint.credentials.key_id, "another")
    assert fetch(creates_stack(endpoint, wrong, "attack")) == 403
    given = {"aws_access_key_id": wrong.access_key, "aws_secret_access_key": "another"}
    calls: list[Callable[[], Any]] = [
        client("s3", **given).list_buckets,
        client("sqs", **given).list_queues,
        client("sts", **given).get_caller_identity,
        client("dynamodb", **given).list_tables,
        client("iam", **given).list_users,
        client("rekognition", **given).describe_projects,
        client("sagemaker", **given).list_flow_definitions,
    ]
    for call in calls:
        with pytest.raises(ClientError, match=r"SignatureDoesNotMatch|InvalidSignature"):
            call()
    assert "attack" not in stacks(client)


def test_the_operator_signs_in_header_and_query(endpoint: Endpoint, client: Client) -> None:
    """Given the right secret, then the account's root is served."""
    assert client("sts").get_caller_identity()["Arn"].endswith(":root")
    assert fetch(creates_stack(endpoint, own(endpoint), "wanted")) == 200
    eventually(lambda: "wanted" in stacks(client))
    client("cloudformation").delete_stack(StackName="wanted")


def test_an_old_signature_is_refused(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a request that was signed an hour ago, or is due in one, then it is refused."""
    for hours in (-1, 1):
        moment = datetime.now(UTC) + timedelta(hours=hours)
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda moment=moment: moment)
        request = AWSRequest("GET", f"{endpoint.url}/{BUCKET}/a")
        botocore.auth.S3SigV4Auth(own(endpoint), "s3", "us-east-1").add_auth(request)
        signed: dict[str, Any] = dict(request.headers)
        assert fetch(f"{endpoint.url}/{BUCKET}/a", **signed) == 403
        address = AWSRequest("GET", f"{endpoint.url}/{BUCKET}/a")
        key = own(endpoint)
        botocore.auth.S3SigV4QueryAuth(key, "s3", "us-east-1", expires=60).add_auth(address)
        assert fetch(str(address.url)) == 403


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_presigned_address_serves_what_was_signed(endpoint: Endpoint, version: str) -> None:
    """Given a presigned address, when anything of it is another, then it is refused."""
    s3: Any = boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        region_name="us-east-1",
        aws_access_key_id=endpoint.credentials.key_id,
        aws_secret_access_key=endpoint.credentials.secret,
        config=Config(signature_version=version),
    )
    place = {"Bucket": BUCKET, "Key": "a"}
    good = s3.generate_presigned_url("get_object", Params=place)
    assert fetch(good) == 200
    key = endpoint.credentials.key_id
    for bad in (
        good.replace(f"/{BUCKET}/a", f"/{BUCKET}/b"),
        good[:-2] + ("AA" if good[-2:] != "AA" else "BB"),
        good.replace(key, "test"),
        good.replace(key, "000000000000"),
    ):
        assert fetch(bad) in (400, 403), bad
    assert fetch(good, "PUT", b"changed") == 403
    assert fetch(good, "DELETE") == 403
    assert s3.get_object(**place)["Body"].read() == b"secret"
    put = s3.generate_presigned_url("put_object", Params=place | {"ContentType": "text/plain"})
    assert fetch(put, "PUT", b"secret", content_type="text/plain") == 200
    s3.close()


def form(fields: dict[str, str], body: bytes) -> tuple[bytes, str]:
    """A form that uploads a file, and its content type."""
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    return b"".join([*parts, head, body, b"\r\n--b--\r\n"]), "multipart/form-data; boundary=b"


def test_a_form_must_carry_a_signed_policy(endpoint: Endpoint, client: Client) -> None:
    """Given an upload by a form, when its policy is missing or another's, then it is refused."""
    signed = client("s3").generate_presigned_post(BUCKET, "posted")
    good = signed["fields"]
    name = next(field for field in good if field.lower() in ("x-amz-signature", "signature"))
    for fields in ({"key": "posted"}, good | {name: "0" * 64}, good | {"key": "elsewhere"}):
        body, content = form(fields, b"x")
        assert fetch(f"{endpoint.url}/{BUCKET}", "POST", body, content_type=content) == 403
    body, content = form(good, b"x")
    assert fetch(f"{endpoint.url}/{BUCKET}", "POST", body, content_type=content) in (200, 204)
    listed = client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    assert {entry["Key"] for entry in listed} == {"a", "posted"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/{BUCKET}/a"),
        ("GET", "/"),
        ("PUT", f"/{BUCKET}/planted"),
        ("POST", "/_ministack/reset"),
        ("POST", "/_ministack/config"),
        ("GET", "/_ministack/health"),
        ("GET", "/_ministack/sqs/messages"),
        ("GET", "/_ministack/lambda-code/x"),
        ("GET", "/health"),
        ("GET", "/_aws/lambda-url/x/"),
        ("GET", "/_aws/execute-api/x/$default/"),
        ("GET", "/oauth2/authorize"),
        ("GET", "/logout"),
        ("POST", "/oauth2/token"),
        ("POST", "/human-loops"),
        ("GET", "/v2/"),
        ("GET", "/latest/meta-data/iam/security-credentials/"),
    ],
)
def test_nothing_else_is_open(endpoint: Endpoint, method: str, path: str) -> None:
    """Given a request without a signature, then no address does anything for it."""
    assert fetch(endpoint.url + path, method, b"{}" if method != "GET" else None) == 403


FORM = "multipart/form-data; boundary=b"
SIGN_IN = "AWSCognitoIdentityProviderService.InitiateAuth"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/unsigned-forms", {"Content-Type": FORM}),
        ("GET", "/us-east-1_abc/.well-known/jwks.json", {}),
        ("PUT", "/_ministack/cfn-response/token", {}),
        ("OPTIONS", "/unsigned-forms", {}),
        ("POST", "/", {"X-Amz-Target": SIGN_IN}),
        ("POST", "/", {}),
        ("GET", "/_loupe/health", {}),
    ],
)
@pytest.mark.parametrize("service", ["cloudformation", "iam", "dynamodb", "s3"])
def test_an_authorization_without_a_key_opens_nothing(
    endpoint: Endpoint,
    client: Client,
    method: str,
    path: str,
    headers: dict[str, str],
    service: str,
) -> None:
    """Given an address that needs no signature, when a header names a service and no key, then it
    opens neither the address nor the service."""
    buckets = client("s3")
    buckets.create_bucket(Bucket="unsigned-forms")
    scope = f"Credential=a/20261124/us-east-1/{service}/aws4_request"
    body = b"Action=ListUsers&Version=2010-05-08" if method == "POST" else None
    for authorization in (f"Bearer {scope}", f"AWS4-HMAC-SHA256 {scope}", "x", scope):
        sent = {**headers, "Authorization": authorization}
        assert fetch(endpoint.url + path, method, body, **sent) in (400, 403)
    for target in ("DynamoDB_20120810.ListTables", "AmazonSSM.DescribeParameters"):
        sent = {**headers, "X-Amz-Target": target}
        assert fetch(endpoint.url + path, method, body, **sent) in (400, 403)
    buckets.delete_bucket(Bucket="unsigned-forms")


@pytest.mark.parametrize("path", ["/clusters", "/stoptask", "/login", "/v2", "/iceberg", "/x"])
def test_a_form_goes_to_a_bucket_alone(endpoint: Endpoint, path: str) -> None:
    """Given the address of another service, or of no bucket, then a form needs a signature."""
    assert fetch(endpoint.url + path, "POST", b"--b--", **{"Content-Type": FORM}) == 403


def test_a_code_to_set_a_new_password_is_not_known(endpoint: Endpoint, client: Client) -> None:
    """Given somebody who forgot the password, when another one tries MiniStack's usual code, then
    the password stays; the code that stands in the stack's log sets a new one."""
    cognito = client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="codes")["UserPool"]["Id"]
    name = cognito.create_user_pool_client(UserPoolId=pool, ClientName="page")["UserPoolClient"]
    cognito.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(
        UserPoolId=pool, Username="ann", Password="Before-2026-before", Permanent=True
    )
    cognito.forgot_password(ClientId=name["ClientId"], Username="ann")
    new = {"ClientId": name["ClientId"], "Username": "ann", "Password": "After-2026-after"}
    with pytest.raises(cognito.exceptions.CodeMismatchException):
        cognito.confirm_forgot_password(ConfirmationCode="654321", **new)
    log = endpoint.home.log.read_text()
    code = re.findall(r"ann may set a password with (\S+)", log)[-1]
    cognito.confirm_forgot_password(ConfirmationCode=code, **new)
    cognito.delete_user_pool(UserPoolId=pool)


def test_a_pools_public_keys_are_open(endpoint: Endpoint, client: Client) -> None:
    """Given a user pool, then the console's authorizer reads its keys, which no page may."""
    pool = client("cognito-idp").create_user_pool(PoolName="keys")["UserPool"]["Id"]
    address = f"{endpoint.url}/{pool}/.well-known/jwks.json"
    assert fetch(address) == 200
    assert fetch(address, Origin="https://attacker.example") == 403
    client("cognito-idp").delete_user_pool(UserPoolId=pool)


def test_a_request_without_host_is_refused(endpoint: Endpoint) -> None:
    """Given a program that names no host, then it is refused as a rebound name is."""
    connection = HTTPConnection("127.0.0.1", endpoint.port)
    connection.putrequest("GET", "/_loupe/health", skip_host=True)
    connection.endheaders()
    assert connection.getresponse().status in (400, 403)
    connection.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "attacker.example"},
        {"Origin": "https://attacker.example"},
        {"Referer": "http://127.0.0.1:3000/"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_services_console_portal_and_presigned_addresses_refuse_other_pages(
    endpoint: Endpoint, client: Client, headers: dict[str, Any]
) -> None:
    """Given a page from elsewhere, then even what needs no signature, or has one, is closed."""
    presigned = client("s3").generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "a"})
    for address in (
        presigned,
        f"{endpoint.url}/_loupe/a2i/loops",
        f"{endpoint.url}/_loupe/health",
        f"{endpoint.console_url}/",
        creates_stack(endpoint, own(endpoint), "attack"),
    ):
        assert fetch(address, **headers) == 403, address


def test_a_function_has_its_roles_key_and_never_the_operators(
    endpoint: Endpoint, client: Client
) -> None:
    """Given a function, then its environment holds keys of its role, which no name leads to."""
    iam, functions = client("iam"), client("lambda")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}
    role = iam.create_role(
        RoleName="shows", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
    )["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr(
            "shows.py", "import os\ndef handler(event, context):\n    return dict(os.environ)\n"
        )
    function = functions.create_function(
        FunctionName="shows",
        Runtime="python3.11",
        Handler="shows.handler",
        Role=role,
        Code={"ZipFile": code.getvalue()},
    )["FunctionArn"]
    shown = json.loads(functions.invoke(FunctionName="shows")["Payload"].read())
    functions.delete_function(FunctionName="shows")
    assert endpoint.credentials.secret not in shown.values()
    assert endpoint.credentials.key_id not in shown.values()
    digest = hashlib.sha256(f"{function}:{role}".encode()).hexdigest()
    derived = hashlib.sha256(f"secret:{digest}".encode()).hexdigest()
    assert shown["AWS_SECRET_ACCESS_KEY"] not in ("test", derived)


def test_credentials_are_a_homes_own_and_stay(home: Path, endpoint: Endpoint) -> None:
    """Given a home, then its key is its own, only its owner reads it, and a restart keeps it."""
    first = stack.start(home, free_port())
    made = first.credentials
    assert made.key_id != endpoint.credentials.key_id
    assert len(made.secret) == 40
    assert made.secret not in repr(made) + repr(first)
    assert stat.S_IMODE(Home(home).credentials.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    stack.stop(home)
    assert credentials.read(Home(home).credentials) == made
    again = stack.start(home)
    assert again.credentials == made
    assert connect(again, "sts").get_caller_identity()["Arn"].endswith(":root")
