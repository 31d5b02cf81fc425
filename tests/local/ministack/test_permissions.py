"""Our services hold callers to their policies as MiniStack does those of its own."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.stack_help import Client, eventually, line, picture

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


READ = ("s3:GetObject", "s3:GetObjectAcl", "s3:GetObjectVersion", "s3:GetObjectTagging")
LOOK = ("s3:ListBucket", "s3:GetBucketAcl", "s3:GetBucketLocation")


def rights(without: str = "") -> list[dict[str, str]]:
    """What a training needs in S3, but for one action."""
    bucket = f"arn:aws:s3:::{BUCKET}"
    needed = [
        *((action, f"{bucket}/{folder}/*") for action in READ for folder in ("images", "m")),
        *((action, bucket) for action in LOOK),
        ("s3:PutObject", f"{bucket}/out/*"),
    ]
    found = [allow(action, resource) for action, resource in needed if action != without]
    return [allow("rekognition:*", "*"), *found]


@pytest.fixture(scope="module")
def project(client: Client) -> str:
    """A project whose datasets, which its operator made, hold one picture of each label."""
    rekognition, s3 = client("rekognition"), client("s3")
    for label in ("ring", "box"):
        s3.put_object(Bucket=BUCKET, Key=f"images/{label}.png", Body=picture(label, 1))
    s3.put_object(Bucket=BUCKET, Key="m/a.manifest", Body=lines().encode())
    arn = str(rekognition.create_project(ProjectName="permitted")["ProjectArn"])
    for kind in ("TRAIN", "TEST"):
        rekognition.create_dataset(ProjectArn=arn, DatasetType=kind, DatasetSource=SOURCE)
    for dataset in datasets(rekognition, arn):
        eventually(lambda arn=dataset: at_rest(rekognition, arn))  # type: ignore[misc]
    return arn


SOURCE = {"GroundTruthManifest": {"S3Object": {"Bucket": BUCKET, "Name": "m/a.manifest"}}}


def lines() -> str:
    """Manifest lines of the two pictures."""
    return "\n".join(line(f"s3://{BUCKET}/images/{name}.png", name) for name in ("ring", "box"))


def datasets(rekognition: Any, project: str) -> list[str]:
    """The ARNs of a project's datasets."""
    name = project.split("/")[1]
    (found,) = rekognition.describe_projects(ProjectNames=[name])["ProjectDescriptions"]
    return [dataset["DatasetArn"] for dataset in found["Datasets"]]


def at_rest(rekognition: Any, dataset: str) -> Any:
    """A dataset's description once nothing goes on in it."""
    found = rekognition.describe_dataset(DatasetArn=dataset)["DatasetDescription"]
    return None if found["Status"].endswith("IN_PROGRESS") else found


def trained_by(rekognition: Any, project: str, version: str) -> dict[str, Any]:
    """How the training that a caller begins ends."""
    output = {"S3Bucket": BUCKET, "S3KeyPrefix": f"out/{version}"}
    rekognition.create_project_version(ProjectArn=project, VersionName=version, OutputConfig=output)

    def ended() -> Any:
        (found,) = rekognition.describe_project_versions(
            ProjectArn=project, VersionNames=[version]
        )["ProjectVersionDescriptions"]
        return None if found["Status"] == "TRAINING_IN_PROGRESS" else found

    return dict(eventually(ended, 60))


@pytest.mark.parametrize("action", [*READ, *LOOK, "s3:PutObject"])
def test_a_training_fails_without_a_right_of_the_caller(
    user: Any, project: str, action: str
) -> None:
    """Given a caller who may do all but one thing in S3, when it trains, then the training fails
    and says what is missing."""
    name = f"without-{action.partition(':')[2]}"
    found = trained_by(user("rekognition", *rights(without=action)), project, name)
    assert found["Status"] == "TRAINING_FAILED"
    assert f"to perform: {action} on" in found["StatusMessage"]


def test_a_training_with_all_rights_of_the_caller_gets_to_the_images(
    user: Any, project: str
) -> None:
    """Given a caller with every right, then what fails the training is its material: the same
    images on both sides."""
    found = trained_by(user("rekognition", *rights()), project, "permitted")
    assert "are in both datasets" in found["StatusMessage"]


@pytest.mark.parametrize("action", [*READ, *LOOK])
def test_a_dataset_fails_without_a_right_of_the_caller(
    client: Client, user: Any, action: str
) -> None:
    """Given a caller who lacks a right, when it makes a dataset or changes one, then the dataset
    fails and says what is missing."""
    operator = client("rekognition")
    arn = operator.create_project(ProjectName=f"d-{action.partition(':')[2]}")["ProjectArn"]
    held = user("rekognition", *rights(without=action))
    made = held.create_dataset(ProjectArn=arn, DatasetType="TRAIN", DatasetSource=SOURCE)
    found = at_rest(operator, made["DatasetArn"])
    assert found["Status"] == "CREATE_FAILED"
    assert f"to perform: {action} on" in found["StatusMessage"]

    empty = operator.create_dataset(ProjectArn=arn, DatasetType="TEST")["DatasetArn"]
    eventually(lambda: at_rest(operator, empty))
    held.update_dataset_entries(DatasetArn=empty, Changes={"GroundTruth": lines().encode()})
    found = at_rest(operator, empty)
    assert found["Status"] == "UPDATE_FAILED"
    assert f"to perform: {action} on" in found["StatusMessage"]
    assert found["DatasetStats"]["TotalEntries"] == 0


def test_a_copy_that_takes_tags_along_needs_rights_on_them(user: Any) -> None:
    """Given a caller who may read and write objects, then it may copy one without its tags, and
    with them only if it may read and write tags, too."""
    objects = f"arn:aws:s3:::{BUCKET}/*"
    plain = [allow(f"s3:{action}Object", objects) for action in ("Get", "Put")]
    tags = [allow(f"s3:{action}ObjectTagging", objects) for action in ("Get", "Put")]
    copy = {"Bucket": BUCKET, "Key": "b.png", "CopySource": {"Bucket": BUCKET, "Key": "a.png"}}

    held = user("s3", *plain)
    held.copy_object(**copy, TaggingDirective="REPLACE")
    assert refusal(held.copy_object, **copy)[0] == "AccessDenied"
    user("s3", *plain, *tags).copy_object(**copy)
