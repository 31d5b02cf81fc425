"""Our services hold callers to their policies as MiniStack does those of its own."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .stack_help import Client, picture

BUCKET = "permitted"
VERSION = "arn:aws:rekognition:us-east-1:000000000000:project/p/version/v/1"
OTHER = "arn:aws:rekognition:us-east-1:000000000000:project/p/version/w/1"
DETECT = "rekognition:DetectCustomLabels"


@pytest.fixture(scope="module", autouse=True)
def image(client: Client) -> None:
    """An image in a bucket."""
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="a.png", Body=picture("ring", 1))


@pytest.fixture
def user(client: Client) -> Iterator[Any]:
    """Makes a client of a user who may do what the statements allow, nothing else."""
    iam = client("iam")
    iam.create_user(UserName="somebody")
    key = iam.create_access_key(UserName="somebody")["AccessKey"]

    def permitted(service: str, *statements: dict[str, Any]) -> Any:
        if statements:
            iam.put_user_policy(
                UserName="somebody",
                PolicyName="p",
                PolicyDocument=json.dumps({"Statement": list(statements)}),
            )
        return client(
            service,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )

    yield permitted
    iam.delete_access_key(UserName="somebody", AccessKeyId=key["AccessKeyId"])
    for name in iam.list_user_policies(UserName="somebody")["PolicyNames"]:
        iam.delete_user_policy(UserName="somebody", PolicyName=name)
    iam.delete_user(UserName="somebody")


def allow(action: str, resource: str, effect: str = "Allow") -> dict[str, str]:
    """A statement."""
    return {"Effect": effect, "Action": action, "Resource": resource}


def refusal(act: Any, **given: Any) -> tuple[str, str]:
    """The code and message that a call is refused with."""
    with pytest.raises(ClientError) as error:
        act(**given)
    found = error.value.response["Error"]
    return found["Code"], found["Message"]


def test_without_a_policy_nothing_is_allowed(user: Any) -> None:
    """Given a user without policies, when it detects, then the refusal names who, what, where."""
    code, message = refusal(
        user("rekognition").detect_custom_labels,
        ProjectVersionArn=VERSION,
        Image={"Bytes": picture("ring", 1)},
    )
    assert code == "AccessDeniedException"
    for part in ("user/somebody", DETECT, VERSION):
        assert part in message


def test_a_permission_is_for_its_resource_only(user: Any) -> None:
    """Given a permission on one version, then that version may be used (it is not there), and
    another may not."""
    rekognition = user("rekognition", allow(DETECT, VERSION))
    image = {"Bytes": picture("ring", 1)}
    detect = rekognition.detect_custom_labels
    assert refusal(detect, ProjectVersionArn=VERSION, Image=image)[0] == "ResourceNotFoundException"
    assert refusal(detect, ProjectVersionArn=OTHER, Image=image)[0] == "AccessDeniedException"


def test_an_explicit_denial_wins(user: Any) -> None:
    """Given all is allowed but detection, when it detects, then it is refused."""
    rekognition = user("rekognition", allow("rekognition:*", "*"), allow(DETECT, "*", "Deny"))
    assert rekognition.describe_projects()["ProjectDescriptions"] is not None
    code, message = refusal(
        rekognition.detect_custom_labels,
        ProjectVersionArn=VERSION,
        Image={"Bytes": picture("ring", 1)},
    )
    assert (code, "denies it explicitly" in message) == ("AccessDeniedException", True)


def test_an_image_in_s3_needs_the_callers_own_permission_to_read_it(user: Any) -> None:
    """Given a permission to detect but none to read, when it detects on an object, then it is
    refused; with both, it is not."""
    image = {"S3Object": {"Bucket": BUCKET, "Name": "a.png"}}
    detect = user("rekognition", allow(DETECT, "*")).detect_custom_labels
    code, message = refusal(detect, ProjectVersionArn=VERSION, Image=image)
    assert (code, "s3:GetObject" in message) == ("AccessDeniedException", True)
    both = (allow(DETECT, "*"), allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/*"))
    detect = user("rekognition", *both).detect_custom_labels
    assert refusal(detect, ProjectVersionArn=VERSION, Image=image)[0] == "ResourceNotFoundException"


def test_a_role_is_held_to_its_policies(client: Client) -> None:
    """Given a role without rekognition, when somebody in it lists projects, then it is refused;
    once its policy allows it, it is not."""
    iam = client("iam")
    trust = {
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
            }
        ]
    }
    role = iam.create_role(RoleName="visitor", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    session = client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="me")["Credentials"]
    rekognition = client(
        "rekognition",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    code, message = refusal(rekognition.describe_projects)
    assert (code, "assumed-role/visitor" in message) == ("AccessDeniedException", True)
    policy = {"Statement": [allow("rekognition:DescribeProjects", "*")]}
    iam.put_role_policy(RoleName="visitor", PolicyName="p", PolicyDocument=json.dumps(policy))
    assert rekognition.describe_projects()["ProjectDescriptions"] is not None


def test_a_wrong_signature_is_refused(client: Client, user: Any) -> None:
    """Given somebody's key with another secret, when it asks, then it is refused."""
    user("rekognition", allow("rekognition:*", "*"))
    key = client("iam").list_access_keys(UserName="somebody")["AccessKeyMetadata"][0]
    forged = client(
        "rekognition", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key="guessed"
    )
    assert (
        refusal(forged.describe_projects)[0] == "SignatureDoesNotMatch"
        or refusal(forged.describe_projects)[0] == "InvalidSignatureException"
    )


def test_human_loops_and_flow_definitions_are_guarded(user: Any) -> None:
    """Given a user without policies, when it uses A2I, then it is refused."""
    flow = "arn:aws:sagemaker:us-east-1:000000000000:flow-definition/f"
    code, message = refusal(
        user("sagemaker-a2i-runtime").start_human_loop,
        HumanLoopName="a",
        FlowDefinitionArn=flow,
        HumanLoopInput={"InputContent": "{}"},
    )
    assert (code, flow in message) == ("AccessDeniedException", True)
    code, _ = refusal(user("sagemaker").describe_human_task_ui, HumanTaskUiName="u")
    assert code == "AccessDeniedException"
