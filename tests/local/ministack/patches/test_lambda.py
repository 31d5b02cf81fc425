"""How functions are unpacked."""

import io
import json
import zipfile
from typing import Any

from tests.local.stack_help import Client

WHERE = (
    "import os\n\ndef handler(event, context):\n    return [os.path.realpath(__file__), {0!r}]\n"
)
ROLE = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]
}


def package(word: str) -> bytes:
    """A function that answers where its code is, and a word."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.py"), WHERE.format(word))
    return body.getvalue()


def ask(awslambda: Any, name: str) -> tuple[str, str]:
    place, word = json.loads(awslambda.invoke(FunctionName=name)["Payload"].read())
    return place, word


def test_functions_of_one_package_share_what_is_unpacked(client: Client) -> None:
    """Given three functions of two packages, each runs its own code, and one that is updated
    its new code."""
    awslambda = client("lambda")
    role = client("iam").create_role(
        RoleName="unpacked", AssumeRolePolicyDocument=json.dumps(ROLE)
    )["Role"]["Arn"]
    for name, word in (("first", "one"), ("second", "one"), ("third", "two")):
        awslambda.create_function(
            FunctionName=name,
            Runtime="python3.11",
            Handler="index.handler",
            Role=role,
            Code={"ZipFile": package(word)},
            Timeout=30,
        )

    first, second, third = (ask(awslambda, name) for name in ("first", "second", "third"))

    assert first == second
    assert (first[1], third[1]) == ("one", "two")
    assert third[0] != first[0]
    awslambda.update_function_code(FunctionName="second", ZipFile=package("two"))
    assert ask(awslambda, "second") == third
    assert ask(awslambda, "first") == first
