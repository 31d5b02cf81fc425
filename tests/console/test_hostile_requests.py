"""Whatever is sent to the console's API is answered in words, and changes only what its role may.

`LOUPE_REQUESTS` says how many requests the property test sends; `make test` sends 10,000, the same
ones each time.
"""

import json
import os
import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from moto.moto_api._internal.models import moto_api_backend

from loupe.console import page
from loupe.console.access import ROLES, Role
from loupe.console.app import PAGES
from loupe.console.requests import LARGEST_BODY
from loupe.domain.review import ReviewState
from loupe.domain.settings import CATALOGUE
from loupe.errors import AlreadyDone, TryAgain
from tests.adapters.world import World
from tests.console.console import PUBLIC, ROUTES, Console, Filled, Response, console_of, fill

REQUESTS = int(os.environ.get("LOUPE_REQUESTS", "10000"))
AT_A_TIME = 50


@pytest.fixture(scope="module")
def place(_aws: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Console, Filled]]:
    """One world for all tests here: what they assert holds whatever is in it."""
    moto_api_backend.reset()
    world = World()
    with console_of(world, tmp_path_factory.mktemp("page")) as console:
        yield console, fill(world)


@pytest.fixture
def console(place: tuple[Console, Filled]) -> Console:
    return place[0]


@pytest.fixture
def held(place: tuple[Console, Filled]) -> Filled:
    """What the world holds."""
    return place[1]


# What is refused, and in which words


def refused(answer: Response, *words: str, status: int = 400) -> None:
    """Assert that a request is refused before any service is asked, in words that name it."""
    assert answer.status == status, answer
    assert answer.calls == 0
    for word in words:
        assert word in answer.body["message"]


SURROGATE = "\ud800"
LONG = "x" * 3000
BAD_QUERIES = [
    ("/api/detections", {"from": "2026-02-01", "to": "2026-01-01"}, ("from", "after to")),
    ("/api/detections", {"from": "yesterday"}, ("from", "yesterday")),
    ("/api/detections", {"to": "9999-12-31T23:59:59-23:59"}, ("to",)),
    ("/api/detections", {"to": "0001-01-01T00:00:00+23:59"}, ("to",)),
    ("/api/detections", {"min": "NaN"}, ("min", "from 0 to 100")),
    ("/api/detections", {"max": "Infinity"}, ("max", "from 0 to 100")),
    ("/api/detections", {"max": "1e999"}, ("max",)),
    ("/api/detections", {"min": "01"}, ("min",)),
    ("/api/detections", {"min": "１"}, ("min",)),
    ("/api/detections", {"state": "gone"}, ("state", "waiting")),
    ("/api/detections", {"label": LONG}, ("label",)),
    ("/api/detections", {"label": "a\x00b"}, ("label",)),
    ("/api/detections", {"label": SURROGATE}, ("label",)),
    ("/api/detections", {"limit": "inf"}, ("limit", "from 1 to 100")),
    ("/api/detections", {"limit": "0"}, ("limit",)),
    ("/api/detections", {"limit": "9" * 5000}, ("limit",)),
    ("/api/detections", {"limit": "1.5"}, ("limit",)),
    ("/api/detections", {"cursor": "\x00"}, ("cursor", "next")),
    ("/api/detections", {"cursor": "~~~"}, ("cursor",)),
    ("/api/detections", {"cursor": "2026-01-01T00:00:00.000Z#" + "x" * 2000}, ("cursor",)),
    ("/api/detections", {"cursor": "eyJwayI6IHsiUyI6ICJhIn19"}, ("cursor",)),
    ("/api/detections", {"cursor": '{"pk": 1}'}, ("cursor",)),
    ("/api/detections", {"cursor": "2026-01-01T00:00:00.000Z#a\n"}, ("cursor",)),
    (
        "/api/detections",
        {"cursor": "2026-01-01T00:00:00.000Z#a", "from": "2026-01-02"},
        ("cursor",),
    ),
    ("/api/dataset/examples", {"split": "both"}, ("split", "train")),
    ("/api/dataset/examples", {"status": "x"}, ("status", "registered")),
    ("/api/events", {"type": "ImageAccepted\n"}, ("type",)),
    ("/api/conflicts", {"cursor": "\ud83d"}, ("cursor",)),
]
DEEP = '{"ids": ' + "[" * 100_000 + "]" * 100_000 + ', "label": "x"}'
BAD_BODIES: list[tuple[str, str, Any, tuple[str, ...]]] = [
    ("POST", "/api/dataset/relabel", {"ids": ["a"], "label": SURROGATE}, ("label",)),
    ("POST", "/api/dataset/relabel", {"ids": ["a"], "label": "../x"}, ("label",)),
    ("POST", "/api/dataset/relabel", {"ids": ["a"], "label": ""}, ("label",)),
    ("POST", "/api/dataset/relabel", {"ids": ["a"]}, ("label", "needs")),
    ("POST", "/api/dataset/relabel", {"ids": [], "label": "x"}, ("ids", "1 to 100")),
    ("POST", "/api/dataset/relabel", {"ids": "abc", "label": "x"}, ("ids",)),
    ("POST", "/api/dataset/relabel", {"ids": ["a", 1], "label": "x"}, ("ids[1]",)),
    ("POST", "/api/dataset/relabel", {"ids": [LONG], "label": "x"}, ("ids[0]",)),
    ("POST", "/api/dataset/relabel", {"ids": ["a"] * 101, "label": "x"}, ("ids", "100")),
    ("POST", "/api/dataset/remove", {"ids": [SURROGATE]}, ("ids[0]",)),
    ("POST", "/api/dataset/remove", {"ids": None}, ("ids",)),
    ("POST", "/api/dataset/remove", DEEP, ("nested",)),
    ("POST", "/api/dataset/remove", "[" * 100_000, ("nested",)),
    ("POST", "/api/dataset/remove", "[]", ("object",)),
    ("POST", "/api/dataset/remove", "null", ("object",)),
    ("POST", "/api/dataset/remove", "", ("JSON",)),
    ("POST", "/api/dataset/remove", None, ("JSON",)),
    ("POST", "/api/dataset/remove", '{"ids": ["a"]', ("JSON",)),
    ("POST", "/api/dataset/remove", '{"ids": ["a"], "ids": ["b"]}', ("twice",)),
    ("POST", "/api/dataset/remove", "\ufeff{}", ("JSON",)),
    ("POST", "/api/reviews/claim", '{"count": NaN}', ("NaN",)),
    ("POST", "/api/reviews/claim", '{"count": Infinity}', ("Infinity",)),
    ("POST", "/api/reviews/claim", '{"count": 1e999}', ("count",)),
    ("POST", "/api/reviews/claim", f'{{"count": {"9" * 5000}}}', ("JSON",)),
    ("POST", "/api/reviews/claim", {"count": 10**30}, ("count",)),
    ("POST", "/api/reviews/claim", {"count": True}, ("count",)),
    ("POST", "/api/reviews/claim", {"count": "2"}, ("count",)),
    ("POST", "/api/reviews/claim", {"count": [2]}, ("count",)),
    ("POST", "/api/reviews/x/answer", {"label": 1}, ("label",)),
    ("POST", "/api/reviews/x/answer", {"label": {"a": 1}}, ("label",)),
    ("POST", "/api/reviews/x/answer", {"label": LONG}, ("label",)),
    ("POST", "/api/reviews/x/release", {"skip": "yes"}, ("skip", "true or false")),
    ("POST", f"/api/reviews/{LONG}/answer", {"label": "cat"}, ("identity",)),
    ("POST", f"/api/conflicts/{LONG}", {"label": "cat"}, ("identity",)),
    ("POST", "/api/models/train", {"again": 1}, ("again",)),
    ("POST", "/api/models/approve", {}, ("version", "needs")),
    ("POST", "/api/models/rollback", {"version": LONG}, ("version",)),
    ("POST", "/api/uploads", {"files": [{"name": "a.png", "type": "x"}]}, ("files[0].size",)),
    ("POST", "/api/uploads", {"files": [{"name": 1, "size": 1, "type": "x"}]}, ("files[0].name",)),
    ("POST", "/api/uploads", {"files": ["a.png"]}, ("files[0]", "object")),
    ("POST", "/api/uploads", {"files": {}}, ("files",)),
    (
        "POST",
        "/api/uploads",
        '{"files": [{"name": "a", "size": 1e999, "type": "image/png"}]}',
        ("files[0].size",),
    ),
    ("PUT", "/api/settings/Labels", {"value": SURROGATE}, ("value",)),
    ("PUT", "/api/settings/Labels", {"value": "cat\n"}, ("value",)),
    ("PUT", "/api/settings/Labels", {"value": "x," * 3000}, ("value",)),
    ("PUT", "/api/settings/Minimum-F1-Score", {"value": 0.8}, ("value", "text")),
    ("PUT", "/api/settings/Minimum-F1-Score", {"value": "NaN"}, ("Minimum-F1-Score",)),
]


@pytest.mark.parametrize(("path", "query", "words"), BAD_QUERIES, ids=ascii)
def test_a_query_that_cannot_be_meant_names_its_parameter(
    console: Console, path: str, query: dict[str, str], words: tuple[str, ...]
) -> None:
    refused(console.ask("GET", path, query=query), *words)


@pytest.mark.parametrize(
    ("method", "path", "body", "words"), BAD_BODIES, ids=lambda value: ascii(value)[:60]
)
def test_a_body_that_cannot_be_meant_names_its_field(
    console: Console, method: str, path: str, body: Any, words: tuple[str, ...]
) -> None:
    refused(console.ask(method, path, body), *words)


def test_a_body_is_limited(console: Console) -> None:
    answer = console.ask("POST", "/api/dataset/remove", " " * (LARGEST_BODY + 1))

    refused(answer, "fewer", status=413)


@pytest.mark.parametrize(
    "sent", [b64encode(b'{"ids": ["\xff"]}').decode(), "no base64", "ÿ"], ids=["bytes", "?", "ÿ"]
)
def test_a_body_in_base64_is_text_in_utf_8(console: Console, sent: str) -> None:
    refused(console.ask("POST", "/api/dataset/remove", sent, isBase64Encoded=True), "UTF-8")


def test_a_body_in_base64_is_as_good_as_any(console: Console) -> None:
    sent = b64encode(json.dumps({"ids": ["é"]}).encode()).decode()

    assert console.ask("POST", "/api/dataset/remove", sent, isBase64Encoded=True).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api"),
        ("GET", "/api/nothing"),
        ("PATCH", "/api/me"),
        ("DELETE", "/api/settings/Labels"),
        ("BREW", "/api/me"),
        ("OPTIONS", "/api/detections"),
        ("GET", "/api/detections/\x00"),
        ("GET", "/api/detections/\ufffd"),
        ("GET", "/api/detections/a/b"),
        ("GET", "/api/detections/../../etc"),
        ("GET", "/assets/../index.html"),
        ("GET", "/assets/.."),
        ("GET", "/assets/nothing.js"),
        ("GET", "/api/" + LONG),
        ("GET", "/api/detections/" + "0" * 32),
        ("GET", "/api/dataset/examples/" + "0" * 32),
        ("GET", "/api/models/v99"),
        ("GET", "/api/models/v1/against/v99"),
        ("GET", "/api/models/%25"),
    ],
    ids=ascii,
)
def test_what_is_not_there_is_not_found(console: Console, method: str, path: str) -> None:
    answer = console.ask(method, path)

    assert answer.status == 404
    assert answer.body["message"]


@pytest.mark.parametrize("name", ["x" * 250, "%" * 201, "ü" * 101])
def test_a_long_name_of_a_file_is_refused(console: Console, name: str) -> None:
    """A file system does not even look for it."""
    refused(console.ask("GET", f"/assets/{name}"), "name")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/reviews/none/answer", {"label": "cat"}),
        ("POST", "/api/reviews/none/release", {}),
        ("POST", "/api/conflicts/none", {"label": "cat"}),
        ("POST", "/api/models/rollback", {"version": "v99"}),
        ("PUT", "/api/settings/Nothing", {"value": "1"}),
    ],
)
def test_what_is_to_be_changed_must_be_there(
    console: Console, method: str, path: str, body: dict[str, str]
) -> None:
    answer = console.ask(method, path, body)

    assert answer.status == 404
    assert re.search("none|v99|Nothing", answer.body["message"])


def test_no_image_is_surer_than_90_percent_and_less_sure_than_10(console: Console) -> None:
    answer = console.ask("GET", "/api/detections", query={"min": "90", "max": "10"})

    assert (answer.status, answer.body["items"]) == (200, [])


def test_a_day_may_be_asked_for_page_by_page(console: Console) -> None:
    day = {"from": "2026-01-01", "to": "2026-01-01T23:59:59+00:00"}
    all_of_it = console.ask("GET", "/api/detections", query=day).body["items"]
    seen: list[str] = []
    query = day | {"limit": "1"}
    while True:
        answered = console.ask("GET", "/api/detections", query=query).body
        seen += [item["id"] for item in answered["items"]]
        if answered["next"] is None:
            break
        query["cursor"] = answered["next"]

    assert len(seen) > 3
    assert seen == [item["id"] for item in all_of_it]


# Files: one that cannot come stops no other


BAD_NAMES = {
    "no file name": ("../x.png", "a/../../manifests/v1/x", "/x.png", "a//b.png", "..", "", "a/"),
    "characters": ("a\x00.png", f"{SURROGATE}.png", "a\nb.png", "\x7f.png"),
    "longer": ("é" * 600 + ".png", "x" * 1100),
}


@pytest.mark.parametrize(("words", "name"), [(w, n) for w in BAD_NAMES for n in BAD_NAMES[w]])
@pytest.mark.parametrize("path", ["/api/uploads", "/api/dataset/uploads"])
def test_a_name_that_leads_elsewhere_or_is_none_gets_no_slot(
    console: Console, path: str, words: str, name: str
) -> None:
    files = [
        {"name": each, "size": 9, "type": "image/png", "label": "cat"} for each in (name, "b.png")
    ]

    bad, good = console.ask("POST", path, {"files": files}).body["posts"]

    assert words in bad["error"]
    assert bad["name"] == name
    assert "url" not in bad
    assert good["fields"]["key"].startswith("images_")


@pytest.mark.parametrize(
    "label", ["..", "a/b", "../../manifests", "", "none", SURROGATE, "x" * 101, "a\nb"]
)
def test_a_label_that_leads_elsewhere_gets_no_slot(console: Console, label: str) -> None:
    file = {"name": "a.png", "size": 9, "type": "image/png", "label": label}

    (slot,) = console.ask("POST", "/api/dataset/uploads", {"files": [file]}).body["posts"]

    assert slot["error"]
    assert "url" not in slot


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("size", 0, "empty"), ("size", 2**30, "15 MB"), ("type", "text/html", "convert")],
)
def test_only_images_of_a_size_get_slots(
    console: Console, field: str, value: Any, words: str
) -> None:
    file = {"name": "a.png", "size": 9, "type": "image/png"} | {field: value}

    (slot,) = console.ask("POST", "/api/uploads", {"files": [file]}).body["posts"]

    assert words in slot["error"]


# Scripts are data


def test_scripts_in_names_and_labels_are_data(console: Console) -> None:
    answer = console.ask("GET", "/api/dataset/examples")

    assert any(item["image"].endswith("/<b>1.png") for item in answer.body["items"])
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/api/<script>", "/api/models/<script>", "/assets/<script>"])
def test_what_is_refused_is_data_too(console: Console, path: str) -> None:
    answer = console.ask("GET", path)

    assert answer.status == 404
    assert "<script>" in answer.body["message"]
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/assets/app.js"])
def test_the_page_runs_only_its_own_scripts(console: Console, path: str) -> None:
    headers = console.ask("GET", path).headers

    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


# Who may what


def path_of(route: str) -> str:
    return re.sub("<.*?>", "v1", route)


def test_every_route_is_listed_with_its_roles() -> None:
    registered = {
        (method, route)
        for router in (page.router, *PAGES)
        for route, methods, *_ in router._routes
        for method in methods
    }
    listed = {(method, route.removeprefix("/api")) for method, route in ROUTES}

    assert registered == listed | PUBLIC


OTHERS = [
    (method, route, role)
    for (method, route), roles in ROUTES.items()
    for role in (*ROLES, "", "admin", "operators", "[]")
    if role not in roles
]


@pytest.mark.parametrize(("method", "route", "role"), OTHERS)
def test_who_lacks_the_role_reads_and_changes_nothing(
    console: Console, method: str, route: str, role: str
) -> None:
    refused(console.ask(method, path_of(route), "{", groups=f"[{role}]"), "role", status=403)


@pytest.mark.parametrize("role", ROLES)
def test_who_has_the_role_is_let_in(console: Console, role: str) -> None:
    """A body that is no JSON stops what would change something behind the check of the role."""
    for (method, route), roles in ROUTES.items():
        if role in roles and not route.endswith(("start", "stop", "overview")):
            answer = console.ask(method, path_of(route), "{", groups=f"[{role}]")
            assert answer.status in (200, 400, 404), route


@pytest.mark.parametrize(
    "authorizer", [{}, None, {"jwt": None}, {"jwt": {"claims": None}}, {"jwt": {"claims": {}}}]
)
def test_who_is_not_signed_in_gets_nothing(console: Console, authorizer: Any) -> None:
    context = serve_console_context(authorizer)

    for method, route in ROUTES:
        context["http"] |= {"method": method}
        refused(console.ask(method, path_of(route), requestContext=context), "Sign", status=401)


def serve_console_context(authorizer: Any) -> dict[str, Any]:
    return {"stage": "$default", "authorizer": authorizer, "http": {"method": "GET", "path": "/"}}


def test_a_token_without_groups_has_no_role(console: Console) -> None:
    refused(console.ask("GET", "/api/me", groups=None), "role", status=403)


@pytest.mark.parametrize("groups", ["operator", "[operator]", "[x operator]", '["operator"]'])
def test_groups_are_read_as_api_gateway_writes_them(console: Console, groups: str) -> None:
    assert console.ask("GET", "/api/me", groups=groups).body["roles"] == [Role.OPERATOR]


def test_odd_headers_are_nobodys_business(console: Console) -> None:
    headers = {"content-type": "text/xml\x00", "x": "\ud800", "accept-encoding": "ü" * 9999}

    assert console.ask("GET", "/api/me", headers=headers).status == 200
    assert console.ask("GET", "/api/me", headers=None).status == 200


def test_a_task_of_another_reviewer_is_theirs(console: Console, held: Filled) -> None:
    """A claim is a courtesy; who answers stands in the token and nowhere else."""
    review, *_ = held.open
    console.ask("POST", "/api/reviews/claim", {"count": 5}, name="ann")
    before = console.world.deps.reviews.get(review)
    assert set(before.claims) == {"ann"}

    answer = console.ask(
        "POST", f"/api/reviews/{review}/release", {"skip": True, "worker": "ann"}, name="bob"
    )

    after = console.world.deps.reviews.get(review)
    assert answer.status == 200
    assert (after.claims, after.skipped) == (before.claims, ("bob",))


# Races are 409


def test_three_operators_decide_one_conflict(
    console: Console, held: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviews, path = console.world.deps.reviews, f"/api/conflicts/{held.conflict}"
    before = reviews.get(held.conflict)
    first = console.ask("POST", path, {"label": "cat"})
    with monkeypatch.context() as stale:
        stale.setattr(reviews, "get", lambda _: before)
        second = console.ask("POST", path, {"label": "dog"})
    third = console.ask("POST", path, {"label": "dog"})

    assert [first.status, second.status, third.status] == [200, 409, 409]
    assert "changed by somebody else" in second.body["message"]
    assert "not a conflict" in third.body["message"]
    after = reviews.get(held.conflict)
    assert (after.state, after.answers[-1].label) == (ReviewState.DONE, "cat")


def test_an_answer_that_comes_too_late(console: Console, held: Filled) -> None:
    answer = console.ask("POST", f"/api/reviews/{held.two_labels}/answer", {"label": "cat"})

    assert console.world.deps.reviews.get(held.two_labels).state == ReviewState.CONFLICT
    assert answer.status == 409


@pytest.mark.parametrize(
    ("action", "body"), [("answer", {"label": "cat"}), ("release", {"skip": True})]
)
def test_a_review_that_never_stands_still(
    console: Console,
    held: Filled,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    body: dict[str, Any],
) -> None:
    def busy(*_: Any, **__: Any) -> None:
        raise AlreadyDone("The item was changed by somebody else first.")

    monkeypatch.setattr(console.world.deps.reviews, "move", busy)

    answer = console.ask("POST", f"/api/reviews/{held.open[-1]}/{action}", body, name="eve")

    assert answer.status == 409
    assert "try again" in answer.body["message"]


def test_two_approvals_of_one_version(console: Console) -> None:
    asked = [console.ask("POST", "/api/models/approve", {"version": "v2"}) for _ in range(2)]

    assert [answer.status for answer in asked] == [200, 409]


def test_two_orders_to_start_the_model(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    def loses(version_arn: str, *_: Any) -> None:
        console.world.rekognition.become("v1", "STARTING")
        raise TryAgain("ResourceInUseException: it is starting")

    console.world.rekognition.become("v1", "STOPPED")
    monkeypatch.setattr(console.world.rekognition, "start", loses)

    answer = console.ask("POST", "/api/models/start", {})

    assert answer.status == 409
    assert "Another request" in answer.body["message"]


def test_what_a_service_refuses_is_said_in_its_words(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no fault of the request, so it is none of 4xx; nor is it one that passes."""
    console.world.rekognition.become("v1", "STOPPED")
    monkeypatch.setattr(console.world.rekognition, "refuses_to_start", "no capacity")

    answer = console.ask("POST", "/api/models/start", {})

    assert (answer.status, answer.body["message"]) == (502, "no capacity")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("TooManyUpdates", 409),
        ("ValidationException", 400),
        ("ParameterPatternMismatchException", 400),
    ],
)
def test_what_parameter_store_refuses_is_no_fault(
    console: Console, monkeypatch: pytest.MonkeyPatch, code: str, status: int
) -> None:
    ssm = console.world.client("ssm")

    def refuse(**_: Any) -> None:
        raise ssm.exceptions.ClientError({"Error": {"Code": code, "Message": "no"}}, "PutParameter")

    monkeypatch.setattr(ssm, "put_parameter", refuse)

    answer = console.ask("PUT", "/api/settings/Labels", {"value": "{{ssm:x}}"})

    assert answer.status == status
    assert "Labels" in answer.body["message"]


# Ten thousand requests


odd_texts = st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "\ud800",
        "../x",
        "<script>alert(1)</script>",
        "NaN",
        "Infinity",
        "-1",
        "1e999",
        "none",
        "none of the above",
        "x" * 130,
        "é" * 1100,
        "\u2028",
        "{{ssm:a}}",
    ]
)
odd_values: st.SearchStrategy[Any] = st.one_of(
    odd_texts,
    st.text(max_size=5),
    st.sampled_from([None, True, 0, -1, 10**40, 1.5, float("nan"), float("inf"), [], {}, [[]]]),
)
raw_bodies = st.sampled_from(
    ["", "{", "[]", "null", "[" * 5000, '{"ids": 1, "ids": 2}', '"\\ud800"', "9" * 5000, "\x00"]
)


def a_few(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=3)


class Requests:
    """Requests that come near to valid ones: each field is good most times, and else odd."""

    def __init__(self, held: Filled) -> None:
        reviews = [*held.open, held.conflict, held.two_labels]
        self.ids = st.sampled_from(
            [held.accepted, held.failed, *held.examples, *reviews, "v1", "v2", "0" * 32]
        )
        self.labels = st.sampled_from(["cat", "dog", "bird", "none of the above", "<b>"])
        times = st.sampled_from(["2026-01-01", "2026-01-01T12:00:30.000Z", "2027-01-01", "x"])
        numbers = st.sampled_from(["0", "1", "50", "99.5", "100", "nan", "inf", "1e3", "1,2"])
        self.values: dict[str, st.SearchStrategy[Any]] = {
            "limit": numbers,
            "cursor": st.sampled_from([held.cursor, held.cursor[:-3], "2026-01-01", "~", "\n"]),
            "from": times,
            "to": times,
            "min": numbers,
            "max": numbers,
            "state": st.sampled_from(["waiting", "accepted", "failed", "x"]),
            "status": st.sampled_from(["registered", "removed", "x"]),
            "split": st.sampled_from(["train", "test", "x"]),
            "type": st.sampled_from(["ImageAccepted", "ReviewConflict", "x"]),
            "label": self.labels,
            "ids": a_few(self.ids),
            "version": st.sampled_from(["v1", "v2", "v3"]),
            "count": st.integers(0, 6),
            "skip": st.booleans(),
            "again": st.booleans(),
            "value": st.sampled_from(["true", "1", "0.5", "cat,dog", "70", "1\n"]),
            "files": a_few(self._file()),
        }

    def _file(self) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries(
            {
                "name": st.one_of(st.sampled_from(["a.png", "a/b.jpg"]), odd_texts),
                "size": st.one_of(st.integers(-1, 2**25), odd_values),
                "type": st.sampled_from(["image/png", "text/html"]),
            },
            optional={"label": st.one_of(self.labels, odd_texts)},
        )

    def fields(self, good: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
        """A body or query with some of its fields, one of them perhaps odd."""
        choice = {name: self.values[name] for name in good}
        nearly = st.fixed_dictionaries({}, optional=choice)
        odd = st.dictionaries(st.sampled_from([*good, "extra"]), odd_values, max_size=2)
        return st.one_of(
            st.fixed_dictionaries(choice),
            nearly,
            st.tuples(nearly, odd).map(lambda parts: {**parts[0], **parts[1]}),
        )

    def paths(self, route: str) -> st.SearchStrategy[str]:
        """A route's path, its parameters filled in."""
        names = st.sampled_from([known.name for known in CATALOGUE])
        good = names if "settings" in route else self.ids
        parameter = st.one_of(good, good, good, odd_texts)

        def filled(values: list[str]) -> str:
            return re.sub("<.*?>", lambda _: values.pop(), route)

        count = route.count("<")
        return st.lists(parameter, min_size=count, max_size=count).map(filled)

    def any(self) -> st.SearchStrategy[tuple[Any, ...]]:
        """(method, route, path, groups, body, query) of one request."""
        taking = [route for route in ROUTES if "<" in route[1] or route[1] in QUERIES | BODIES]
        routes = st.one_of([self._of(*route) for route in [*taking, ("GET", "/assets/<name>")]])
        unknown = st.tuples(
            st.sampled_from(["GET", "POST", "HEAD", "PATCH", "X"]),
            st.just(""),
            st.text(max_size=9).map(lambda tail: f"/api/{tail}"),
            st.none(),
            st.none(),
        )
        groups = st.sampled_from([*(f"[{role}]" for role in ROLES), "[x]", None, f"[{ROLES}]"])
        return st.tuples(st.one_of(routes, routes, routes, unknown), groups)

    def _of(self, method: str, route: str) -> st.SearchStrategy[tuple[Any, ...]]:
        query: st.SearchStrategy[Any] = st.none()
        body: st.SearchStrategy[Any] = st.none()
        if method == "GET":
            query = self.fields(QUERIES.get(route, ("limit",)))
        else:
            body = st.one_of(self.fields(BODIES.get(route, ("label",))), raw_bodies)
        return st.tuples(st.just(method), st.just(route), self.paths(route), body, query)


PAGE = ("limit", "cursor")
QUERIES = {
    "/api/detections": (*PAGE, "state", "label", "min", "max", "from", "to"),
    "/api/dataset/examples": (*PAGE, "label", "split", "status"),
    "/api/events": (*PAGE, "type"),
    "/api/conflicts": PAGE,
}
BODIES = {
    "/api/uploads": ("files",),
    "/api/detections/again": ("ids",),
    "/api/reviews/claim": ("count",),
    "/api/reviews/<identity>/release": ("skip",),
    "/api/dataset/uploads": ("files",),
    "/api/dataset/relabel": ("ids", "label"),
    "/api/dataset/remove": ("ids",),
    "/api/models/train": ("again",),
    "/api/models/approve": ("version",),
    "/api/models/reject": ("version",),
    "/api/models/rollback": ("version",),
    "/api/settings/<name>": ("value",),
}


def test_no_request_is_a_fault_nor_changes_what_its_role_may_not(
    console: Console, held: Filled
) -> None:
    @settings(
        max_examples=REQUESTS // AT_A_TIME,
        derandomize="LOUPE_REQUESTS" not in os.environ,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # A request that fails is shown; to make it smaller takes minutes.
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(Requests(held).any(), min_size=AT_A_TIME, max_size=AT_A_TIME))
    def answers(requests: list[tuple[Any, ...]]) -> None:
        for request in requests:
            check(console, *request)

    answers()


def check(console: Console, request: tuple[Any, ...], groups: str | None) -> None:
    """Ask, and assert what holds of any request."""
    method, route, path, body, query = request
    texts = {name: str(value) for name, value in query.items()} if query else None

    answer = console.ask(method, path, body, groups=groups, query=texts)

    asked = f"{method} {path} as {groups} with {body!r}, {texts!r}: {answer}"
    assert 200 <= answer.status < 500, asked
    assert answer.status < 400 or answer.body["message"], asked
    allowed = ROUTES.get((method, route))
    if allowed and not any(role in (groups or "") for role in allowed):
        assert answer.status in (403, 404), asked
        assert not answer.calls, asked
