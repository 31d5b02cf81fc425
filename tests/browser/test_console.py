"""The console as each role uses it, in a real browser on the deployed template."""

import io
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from PIL import Image
from playwright.sync_api import Page, expect

from loupe.domain.manifest import ManifestEntry
from tests.browser import attacker
from tests.browser.conftest import Console, write_files
from tests.stack.conftest import Stack, until
from tests.stack.pictures import digits, drawn

pytestmark = pytest.mark.stack

Keep = Callable[[Page, str], None]
SERIOUS = ("serious", "critical")
DIGITS = (0, 1)
OPERATOR_ROUTES = (
    ("GET", "dataset/labels"),
    ("GET", "dataset/examples"),
    ("GET", "dataset/examples/x"),
    ("POST", "dataset/uploads"),
    ("POST", "dataset/relabel"),
    ("POST", "dataset/remove"),
    ("GET", "models"),
    ("GET", "models/v1"),
    ("GET", "models/v2/against/v1"),
    ("POST", "models/train"),
    ("POST", "models/approve"),
    ("POST", "models/reject"),
    ("POST", "models/rollback"),
    ("POST", "models/start"),
    ("POST", "models/stop"),
    ("GET", "settings"),
    ("PUT", "settings/Minimum-F1-Score"),
    ("GET", "events"),
    ("GET", "conflicts"),
    ("POST", "conflicts/x"),
    ("GET", "reviewers"),
)
CONSUMER_ROUTES = (
    ("POST", "uploads"),
    ("GET", "detections"),
    ("GET", "detections/x"),
    ("POST", "detections/again"),
)
REVIEWER_ROUTES = (
    ("POST", "reviews/claim"),
    ("POST", "reviews/x/answer"),
    ("POST", "reviews/x/release"),
)
ROUTES = {
    "operator": OPERATOR_ROUTES,
    "consumer": CONSUMER_ROUTES,
    "reviewer": REVIEWER_ROUTES,
}


def ask(console: Console, method: str, path: str, token: str = "", body: Any = None) -> Any:
    """(status, answer) of a call of the API."""
    request = urllib.request.Request(
        f"{console.url}/api/{path}",
        method=method,
        headers={"Authorization": f"Bearer {token}"} if token else {},
        data=None if body is None else json.dumps(body).encode(),
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")


def token_of(console: Console, role: str) -> str:
    page = console.open(role)
    token = console.token(page)
    page.context.close()
    return token


def axe(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    grave = [
        f"{v['id']}: {v['help']} at {[node['target'] for node in v['nodes']][:3]}"
        for v in found
        if v["impact"] in SERIOUS
    ]
    assert not grave


def see(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible(timeout=30_000)


def test_nothing_is_shown_without_signing_in(console: Console, picture: Keep) -> None:
    page = console.open()
    see(page, "Sign in")
    picture(page, "sign-in")
    axe(page)
    page.get_by_label("Name").fill("operator")
    page.get_by_label("Password").fill("wrong-password-1")
    page.get_by_role("button", name="Sign in").click()
    see(page, "The name or the password is wrong.")
    console.faults[:] = [f for f in console.faults if "400" not in f]
    page.context.close()


def attacked(console: Console) -> dict[str, list[str]]:
    """What an attacker may know of, and addresses that are even signed by the operator."""
    endpoint, stack = console.stack.endpoint, console.stack
    place = {"Bucket": stack.outputs["BucketName"], "Key": "secret"}
    s3 = stack.client("s3")
    presigned = [
        s3.generate_presigned_url(operation, Params=place)
        for operation in ("get_object", "put_object", "delete_object")
    ]
    create = "Action=CreateStack&StackName=attack&TemplateBody=" + quote(
        '{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}'
    )
    scope = "test%2F20260101%2Fus-east-1%2Fcloudformation%2Faws4_request"
    signed = AWSRequest("GET", f"{endpoint.url}/?{create}")
    key = Credentials(endpoint.credentials.key_id, endpoint.credentials.secret)
    SigV4QueryAuth(key, "cloudformation", "us-east-1", expires=600).add_auth(signed)
    known = [
        f"{endpoint.url}/?{create}&X-Amz-Credential={scope}",
        f"{endpoint.url}/{place['Bucket']}",
        f"{console.url}/api/settings",
        f"{endpoint.url}/_loupe/a2i/loops",
        f"{endpoint.url}/_loupe/a2i/loops/any/expire",
    ]
    return {"known": known, "signed": [*presigned, str(signed.url)]}


def everything(console: Console) -> tuple[Any, ...]:
    """What an attack could have changed."""
    client, bucket = console.stack.client, console.stack.outputs["BucketName"]
    return (
        {s["StackName"] for s in client("cloudformation").list_stacks()["StackSummaries"]},
        {(o["Key"], o["ETag"]) for o in client("s3").list_objects_v2(Bucket=bucket)["Contents"]},
        console.stack.deps.parameters.settings(),
    )


@pytest.mark.parametrize("host", [attacker.HOST, "127.0.0.1"])
def test_a_page_from_another_origin_changes_and_reads_nothing(console: Console, host: str) -> None:
    console.stack.put("secret", b"secret")
    targets, before = attacked(console), everything(console)
    # Of another port of this machine, a browser says the same as of the console: a signature
    # must then be missing. A page of another site is refused even with one.
    addresses = targets["known"] + (targets["signed"] if host == attacker.HOST else [])
    answers: list[tuple[int, str]] = []
    with attacker.served() as port:
        page = console.browser.new_context().new_page()
        page.on(
            "response",
            lambda answer: (
                answers.append((answer.status, answer.url))
                if f":{port}/" not in answer.url
                else None
            ),
        )
        page.goto(f"http://{host}:{port}/")
        assert page.evaluate(attacker.TRY_ALL, addresses) == []
        page.context.close()
    assert {url.partition("?")[0] for _, url in answers} >= {
        address.partition("?")[0] for address in addresses
    }
    assert {status for status, _ in answers} == {403}
    assert everything(console) == before


def test_a_rebound_name_reads_nothing(console: Console) -> None:
    console.stack.put("secret", b"secret")
    targets, before = attacked(console), everything(console)
    addresses = targets["known"] + targets["signed"]
    page = console.browser.new_context().new_page()
    for address in attacker.rebound([*addresses, console.url, f"{console.url}/api/settings"]):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 403
        own = "async (path) => (await fetch(path)).status"
        assert page.evaluate(own, address) == 403
    page.context.close()
    assert everything(console) == before
    # The address was good all along, for whoever is not another page.
    with urllib.request.urlopen(targets["signed"][0], timeout=10) as answer:
        assert answer.read() == b"secret"


@pytest.mark.parametrize("role", ROUTES)
def test_every_route_is_closed_to_other_roles_and_to_strangers(console: Console, role: str) -> None:
    tokens = {other: token_of(console, other) for other in ROUTES if other != role}
    for method, path in ROUTES[role]:
        assert ask(console, method, path, body={})[0] == 401
        assert ask(console, method, path, "not.a.token", {})[0] == 401
        for token in tokens.values():
            assert ask(console, method, path, token, {})[0] == 403, (method, path)


def test_bad_input_is_refused_in_words(console: Console) -> None:
    operator, consumer, reviewer = (token_of(console, role) for role in ROUTES)
    bad = [
        ask(console, "PUT", "settings/Minimum-F1-Score", operator, {"value": "NaN"}),
        ask(console, "PUT", "settings/Nothing", operator, {"value": "1"}),
        ask(console, "PUT", "settings/Minimum-F1-Score", operator, {}),
        ask(console, "POST", "dataset/uploads", operator, {"label": "../x", "files": []}),
        ask(console, "POST", "dataset/relabel", operator, {"ids": ["x"], "label": "a/b"}),
        ask(console, "POST", "dataset/remove", operator, {"ids": "x"}),
        ask(console, "POST", "models/rollback", operator, {"version": "v999"}),
        ask(console, "POST", "models/approve", operator, {"version": "v1"}),
        ask(console, "GET", "models/v999", operator),
        ask(console, "GET", "events?type=Nothing", operator),
        ask(console, "POST", "conflicts/nothing", operator, {"label": "cat"}),
        ask(console, "GET", "detections?state=lost", consumer),
        ask(console, "GET", "detections?min=much", consumer),
        ask(console, "GET", "detections/nothing", consumer),
        ask(console, "GET", "detections/%00", consumer),
        ask(console, "GET", "detections/%ff", consumer),
        ask(console, "GET", "detections?cursor=%00", consumer),
        ask(console, "GET", "detections?from=2026-02-01&to=2026-01-01", consumer),
        ask(console, "POST", "detections/again", consumer, {"ids": ["\ud800"]}),
        ask(console, "POST", "detections/again", consumer, {"ids": ["x"] * 101}),
        ask(console, "POST", "uploads", consumer, {"files": "all"}),
        ask(console, "POST", "uploads", consumer, {"files": [{"name": "a.png"}]}),
        ask(console, "POST", "reviews/nothing/answer", reviewer, {"label": "cat"}),
    ]
    for status, answer in bad:
        assert status in (400, 404), answer
        assert len(answer["message"]) > 10

    files = [
        {"name": "../a.png", "size": 10, "type": "image/png"},
        {"name": "big.png", "size": 20 * 2**20, "type": "image/png"},
        {"name": "text.txt", "size": 10, "type": "text/plain"},
    ]
    status, answer = ask(console, "POST", "uploads", consumer, {"files": files})
    assert status == 200
    assert all(post["error"] for post in answer["posts"])


def test_a_page_of_another_role_does_not_exist(console: Console) -> None:
    page = console.open("reviewer")
    page.goto(f"{console.url}/#/settings")
    see(page, "No such page")
    page.context.close()


def test_an_operator_adds_labelled_images_and_trains(
    console: Console, picture: Keep, tmp_path: Path
) -> None:
    page = console.open("operator")
    for digit in DIGITS:
        page.goto(f"{console.url}/#/dataset")
        page.reload()
        page.get_by_placeholder("cat").fill(f"digit {digit}")
        page.keyboard.press("Escape")
        files = {f"{digit}-{n}.png": body for n, body in enumerate(digits()[digit][:12])}
        page.locator("input[type=file]").first.set_input_files(write_files(tmp_path, files))
        see(page, "12 of 12 uploaded")
    console.stack.registered(24)
    see(page, "digit 0")
    picture(page, "dataset")
    axe(page)

    page.goto(f"{console.url}/#/models")
    page.get_by_role("button", name="Train now").click()
    see(page, "The check has begun")
    until(lambda: console.stack.deps.versions.service().version or None, seconds=180)
    see(page, "In service")
    page.get_by_role("link", name="v1").click()
    see(page, "Which labels it mixes up")
    picture(page, "models")
    axe(page)
    page.context.close()


def test_a_consumer_uploads_images_and_sees_what_they_show(
    console: Console, picture: Keep, tmp_path: Path
) -> None:
    page = console.open("consumer")
    files = {f"scan {n} '<b>&.png": body for n, body in enumerate(digits()[0][20:24])}
    files |= {f"shape-{n}.png": drawn(n) for n in range(4)}
    files |= {"text.png": b"this is no image", "big.png": noise_of(16)}
    page.locator("input[type=file]").first.set_input_files(write_files(tmp_path, files))
    see(page, "9 of 10 uploaded, 1 refused")
    see(page, "make it smaller")
    until(
        lambda: len([d for d in console.stack.detections() if d.state != "waiting"]) == 9 or None,
        seconds=120,
    )
    see(page, "Accepted")
    see(page, "Not a usable image")
    see(page, "scan 0 '<b>&.png")
    picture(page, "detect")
    axe(page)
    page.get_by_role("link", name="scan 0 '<b>&.png").click()
    see(page, "What happened")
    see(page, "Nothing to do.")
    axe(page)
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.goto(f"{console.url}/#/detect?state=rejected")
    expect(page.get_by_role("link", name="text.png")).to_be_visible()
    expect(page.get_by_role("link", name="shape-0.png")).to_have_count(0)
    page.context.close()


def noise_of(megabytes: int) -> bytes:
    """A real PNG that is too large."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "PNG")
    return buffer.getvalue() + bytes(megabytes * 2**20)


def test_a_reviewer_answers_by_keys_and_undoes(console: Console, picture: Keep) -> None:
    before = len(list(console.stack.deps.dataset.labelled_images()))
    open_before = len(console.stack.open_reviews())
    page = console.open("reviewer")
    see(page, "Why you are asked")
    picture(page, "review")
    axe(page)
    title = page.locator("main h2").first
    first = title.inner_text()
    page.keyboard.press("1")
    expect(title).not_to_have_text(first)
    page.keyboard.press("u")
    expect(title).to_have_text(first)
    for _ in range(2 * open_before):
        shown = title.inner_text()
        if shown == "Nothing to review":
            break
        page.keyboard.press("1")
        expect(title).not_to_have_text(shown)
    see(page, "Nothing to review")
    console.stack.registered(before + open_before)
    (counted,) = {console.stack.deps.reviews.answers_of("reviewer", "x")[1]}
    assert counted == open_before
    page.context.close()


def test_a_consumer_reports_a_wrong_answer_and_a_person_corrects_it(
    console: Console, picture: Keep
) -> None:
    stack, name = console.stack, "scan 1 '<b>&.png"
    page = console.open("consumer")
    page.get_by_role("link", name=name).click()
    page.get_by_role("button", name="This is wrong").click()
    picture(page, "report")
    axe(page)
    page.get_by_role("menuitem", name="It is not digit 0").click()
    see(page, "A reviewer looks at it next")
    page.context.close()

    page = console.open("reviewer")
    see(page, "somebody reports that its answer is wrong")
    page.keyboard.press("2")
    page.context.close()
    settled = stack.settled([name], states=["answered"])[name]
    assert settled.labels[0].name == "digit 1"
    copy = until(lambda: next((e for e in in_dataset(stack) if "scan 1" in e.uri), None), 60)
    assert copy.label == "digit 1"

    page = console.open("operator")
    page.goto(f"{console.url}/#/models")
    see(page, "1 of 1 were wrong")
    page.context.close()
    stack.delete(copy.uri.removeprefix(f"s3://{stack.outputs['BucketName']}/"))
    until(lambda: copy not in in_dataset(stack) or None, 60)


def in_dataset(stack: Stack) -> list[ManifestEntry]:
    """What the next training uses."""
    return [entry for _, entry in stack.deps.dataset.entries(stack.outputs["BucketName"])]


def test_the_operator_sees_how_well_people_answer(console: Console, picture: Keep) -> None:
    page = console.open("operator")
    page.goto(f"{console.url}/#/reviewers")
    see(page, "Seconds an answer")
    expect(page.get_by_role("rowheader", name="reviewer")).to_be_visible()
    picture(page, "reviewers")
    axe(page)
    page.context.close()


def test_two_reviewers_never_get_the_same_task(console: Console) -> None:
    for number in range(10, 16):
        console.stack.put(f"images_for_detection/more {number}.png", drawn(number))
    until(lambda: len(console.stack.open_reviews()) >= 6 or None, seconds=120)
    token = token_of(console, "reviewer")
    client = console.stack.client("cognito-idp")
    pool = console.stack.outputs["UserPoolId"]
    client.admin_create_user(UserPoolId=pool, Username="second", MessageAction="SUPPRESS")
    client.admin_set_user_password(
        UserPoolId=pool, Username="second", Password="a password of some length", Permanent=True
    )
    client.admin_add_user_to_group(UserPoolId=pool, Username="second", GroupName="reviewer")
    console.passwords["second"] = "a password of some length"
    other = token_of(console, "second")

    mine, theirs = (
        {task["id"] for task in ask(console, "POST", "reviews/claim", t, {"count": 3})[1]["tasks"]}
        for t in (token, other)
    )
    assert len(mine) == len(theirs) == 3
    assert not mine & theirs

    for task in mine:
        assert ask(console, "POST", f"reviews/{task}/release", token, {"skip": True})[0] == 200
    left = ask(console, "POST", "reviews/claim", other, {"count": 5})[1]["tasks"]
    assert mine & {task["id"] for task in left}
    again = ask(console, "POST", "reviews/claim", token, {"count": 5})[1]["tasks"]
    assert not mine & {task["id"] for task in again}


def test_a_setting_is_changed_in_place_and_a_bad_value_refused(
    console: Console, picture: Keep
) -> None:
    page = console.open("operator")
    page.goto(f"{console.url}/#/settings")
    field = page.get_by_label("Minimum-Untrained-Images", exact=True)
    field.fill("abc")
    see(page, "It takes a whole number from 1.")
    field.fill("7")
    page.get_by_role("button", name="Save Minimum-Untrained-Images").click()
    see(page, "by operator")
    assert console.stack.deps.parameters.settings().minimum_untrained_images == 7
    page.get_by_label("Enable-Automatic-Deployment").click()
    until(
        lambda: not console.stack.deps.parameters.settings().automatic_deployment or None,
        seconds=20,
    )
    picture(page, "settings")
    axe(page)
    page.context.close()


def test_an_operator_decides_a_conflict_and_approves_a_version(
    console: Console, picture: Keep
) -> None:
    stack = console.stack
    stack.set(Reviewers_Per_Image="2")
    stack.put("images_for_detection/disputed.png", drawn(77))
    review = until(
        lambda: next((r for r in stack.open_reviews() if "disputed" in r.image.key), None),
        seconds=60,
    )
    stack.answer(review.id, "digit 0", "ann")
    stack.answer(review.id, "digit 1", "bob")
    until(lambda: list(stack.deps.reviews.newest("conflict")) or None, seconds=60)

    page = console.open("operator")
    page.goto(f"{console.url}/#/conflicts")
    see(page, "disputed.png")
    picture(page, "conflicts")
    axe(page)
    page.get_by_role("button", name="Label of disputed.png").click()
    page.get_by_role("option", name="digit 1").click()
    page.get_by_role("button", name="Decide").click()
    see(page, "disputed.png: digit 1.")
    stack.settled(["disputed.png"], states=["answered"])

    for number in range(12, 24):
        stack.put(f"images_labeled_by_folder/digit 0/{number}.png", digits()[0][number])
        stack.put(f"images_labeled_by_folder/digit 1/{number}.png", digits()[1][number])
    until(lambda: stack.deps.versions.progress().changes >= 7 or None, seconds=60)
    page.goto(f"{console.url}/#/models")
    page.get_by_role("button", name="Train now").click()
    page.get_by_role("link", name="v2").click(timeout=60_000)
    approve = page.get_by_role("button", name="Approve v2")
    approve.click(timeout=120_000)
    see(page, "v2 was approved")
    until(lambda: stack.deps.versions.service().version == "v2" or None, seconds=120)
    page.context.close()


def test_images_are_relabelled_and_removed_by_the_operator(console: Console) -> None:
    stack = console.stack
    page = console.open("operator")
    page.goto(f"{console.url}/#/dataset?label=digit+1")
    page.get_by_role("checkbox", name="digit 1/12.png").check(force=True)
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    see(page, "1 removed")
    key = "images_labeled_by_folder/digit 1/12.png"
    until(
        lambda: getattr(stack.deps.dataset.labelled_image(key), "status", "") == "removed" or None,
        seconds=60,
    )
    page.reload()
    page.get_by_role("checkbox", name="digit 1/13.png").check(force=True)
    page.get_by_role("button", name="Change the label").click()
    page.get_by_role("dialog").get_by_placeholder("cat").fill("seven")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").get_by_role("button", name="Change", exact=True).click()
    see(page, "1 relabelled")
    moved = until(
        lambda: next((e for e in stack.deps.dataset.labelled_images() if e.label == "seven"), None),
        seconds=60,
    )
    assert moved.by == ("operator",)
    assert not stack.events("LabelConflict")
    page.context.close()


def test_the_overview_and_activity_say_how_it_goes(console: Console, picture: Keep) -> None:
    for dark, width in ((False, 1280), (True, 820)):
        page = console.open("operator", width=width, dark=dark)
        see(page, "Model in service")
        see(page, "Images today")
        picture(page, "overview-dark" if dark else "overview")
        axe(page)
        page.goto(f"{console.url}/#/activity?type=VersionPromoted")
        see(page, "now answers")
        expect(page.get_by_text("is a labelled image")).to_have_count(0)
        axe(page)
        page.context.close()


def test_signing_out_ends_the_session(console: Console) -> None:
    page = console.open("consumer")
    page.get_by_role("button", name="consumer").click()
    page.get_by_text("Sign out").click()
    see(page, "Sign in")
    assert page.evaluate("sessionStorage.length") == 0
    page.context.close()


def test_no_error_was_in_the_browser_and_no_request_left_the_machine(console: Console) -> None:
    assert console.faults == []
