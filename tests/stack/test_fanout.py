"""Events reach a webhook, a queue and a state machine of others, each what it asked for."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from jsonschema import validate

from tests.ports import free_port
from tests.stack.conftest import NAME, Stack, deploy, loupe, until
from tests.stack.pictures import digits
from tests.template.test_encryption import key_policy
from tools.event_page import schema

pytestmark = pytest.mark.stack


class Hook:
    """A webhook on this machine, which can be taken down and up again."""

    def __init__(self) -> None:
        self.port = free_port()
        self.posts: list[tuple[str, Any]] = []
        self.status = 200
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def up(self) -> None:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if hook.status == 200:
                    hook.posts.append((self.headers["X-Loupe-Token"], json.loads(body)))
                self.send_response(hook.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def down(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def events(self) -> list[Any]:
        return [body for _, body in self.posts]


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    hook = Hook()
    hook.up()
    yield hook
    hook.down()


@pytest.fixture(scope="module")
def queue(stack: Stack) -> str:
    return str(stack.client("sqs").create_queue(QueueName="subscriber")["QueueUrl"])


@pytest.fixture(scope="module")
def subscribed(stack: Stack, hook: Hook, queue: str) -> Stack:
    """Given a webhook for two types and a queue for one, on a bus of the stack's own.

    All of it under a key of the account's own, with the policy of docs/security.md.
    """
    deploy(
        stack,
        f"KmsKeyArn={own_key(stack)}",
        f"WebhookUrl={hook.url}",
        "WebhookTypes=ExampleAdded,ImageSentToReview",
        "WebhookToken=secret",
        "SubscriberQueueArn=arn:aws:sqs:us-east-1:000000000000:subscriber",
        "SubscriberQueueTypes=ExampleRejected",
        "EventBus=own",
    )
    return stack


def own_key(stack: Stack) -> str:
    """The ARN of a new key."""
    policy = json.dumps(key_policy())
    for name, value in {
        "ACCOUNT": "000000000000",
        "REGION": "us-east-1",
        "STACK": stack.name,
    }.items():
        policy = policy.replace(name, value)
    return str(stack.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"])


def label(stack: Stack, number: int) -> str:
    key = f"images_labeled_by_folder/zero/ü {number}.png"
    stack.put(key, digits()[0][number])
    return key


def arrived(hook: Hook, key: str) -> Any:
    def found() -> Any:
        return next((e for e in hook.events() if e["detail"]["image"] == key), None)

    return until(found, seconds=90)


def test_a_webhook_gets_the_types_it_asked_for_as_their_schemas_say(
    subscribed: Stack, hook: Hook
) -> None:
    key = label(subscribed, 0)
    arrived(hook, key)
    subscribed.delete(key)
    arrived(hook, label(subscribed, 1))
    subscribed.set(Labels="zero,one")
    subscribed.put("images_for_detection/a.png", digits()[1][0])
    arrived(hook, "a.png")

    for token, event in hook.posts:
        assert token == "secret"
        assert event["stack"] == NAME
        validate(event, schema(event["type"]))
    assert subscribed.events("ExampleRemoved")
    assert {event["type"] for event in hook.events()} == {"ExampleAdded", "ImageSentToReview"}


def test_a_webhook_that_was_down_gets_what_it_missed(subscribed: Stack, hook: Hook) -> None:
    hook.down()
    missed = label(subscribed, 2)
    until(
        lambda: (
            any(e["detail"]["image"] == missed for e in subscribed.events("ExampleAdded")) or None
        ),
        seconds=60,
    )
    hook.status = 503
    hook.up()
    failed = label(subscribed, 3)
    until(
        lambda: (
            any(e["detail"]["image"] == failed for e in subscribed.events("ExampleAdded")) or None
        ),
        seconds=60,
    )
    hook.status = 200

    assert {arrived(hook, key)["type"] for key in (missed, failed)} == {"ExampleAdded"}
    assert len({event["id"] for event in hook.events()}) == len(hook.events())


def test_a_queue_gets_its_own_types(subscribed: Stack, queue: str) -> None:
    sqs = subscribed.client("sqs")
    subscribed.put("images_labeled_by_folder/stray.png", digits()[0][4])

    messages = until(
        lambda: sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"),
        seconds=60,
    )

    (event,) = [json.loads(message["Body"]) for message in messages]
    validate(event, schema("ExampleRejected"))


def test_what_a_webhook_refuses_for_good_can_be_replayed(subscribed: Stack, hook: Hook) -> None:
    hook.status = 400
    key = label(subscribed, 5)

    def letters() -> Any:
        done = loupe(subscribed, "replay", "--json")
        assert done.returncode == 0, done.stderr
        return [each for each in json.loads(done.stdout) if key in each["about"]]

    (letter,) = until(lambda: letters() or None, seconds=60)
    assert "400" in letter["reason"]

    hook.status = 200
    assert loupe(subscribed, "replay", "--yes").returncode == 0

    assert arrived(hook, key)


def test_slack_gets_the_text(subscribed: Stack, hook: Hook) -> None:
    deploy(subscribed, "WebhookFormat=slack")
    hook.posts.clear()

    key = label(subscribed, 6)

    (post,) = until(lambda: hook.events() or None, seconds=60)
    assert set(post) == {"text"}
    assert post["text"].startswith(f"{key} was registered with the label zero")


def test_a_machine_of_somebody_else_starts_when_a_version_is_promoted(subscribed: Stack) -> None:
    machines, events = subscribed.client("stepfunctions"), subscribed.client("events")
    role = subscribed.client("iam").create_role(
        RoleName="anybody", AssumeRolePolicyDocument=json.dumps({"Statement": []})
    )["Role"]["Arn"]
    definition = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    machine = machines.create_state_machine(
        name="after-promotion", definition=json.dumps(definition), roleArn=role
    )["stateMachineArn"]
    pattern = {
        "source": ["loupe"],
        "detail-type": ["VersionPromoted"],
        "detail": {"stack": [NAME]},
    }
    events.put_rule(Name="promoted", EventBusName=NAME, EventPattern=json.dumps(pattern))
    events.put_targets(
        Rule="promoted",
        EventBusName=NAME,
        Targets=[{"Id": "machine", "Arn": machine, "RoleArn": role}],
    )
    subscribed.set(Minimum_F1_Score="0")
    for number in range(4):
        for digit in (0, 1):
            key = f"images_labeled_by_folder/{digit}/t{number}.png"
            subscribed.put(key, digits()[digit][20 + number])
    until(lambda: len(list(subscribed.deps.dataset.labelled_images())) >= 13 or None, seconds=60)

    assert subscribed.train()["status"] == "SUCCEEDED"

    (run,) = until(
        lambda: machines.list_executions(stateMachineArn=machine)["executions"] or None, seconds=60
    )
    given = json.loads(machines.describe_execution(executionArn=run["executionArn"])["input"])
    validate(given["detail"], schema("VersionPromoted"))
