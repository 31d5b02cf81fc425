"""Where the people who answer reach the loops: outside AWS's own API, on this machine only.

| address below `/_loupe/a2i` | |
| --- | --- |
| `GET /?worker=NAME` | the tasks of a worker, to be opened in a browser |
| `GET /next?worker=NAME` | leads to the worker's next task |
| `GET /tasks/LOOP?worker=NAME` | a task's page |
| `GET /loops` | the open loops, as JSON |
| `POST /loops/LOOP/answers` | `{"worker": NAME, "answer": {…}}` |
| `POST /loops/LOOP/expire` | ends a loop as if nobody had answered in time |
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from loupe_local.a2i import loops
from loupe_local.a2i.tasks import PAGES, TaskPages
from loupe_local.database import Database, Row
from loupe_local.http.admission import PORTAL, is_below
from loupe_local.http.wire import (
    Caller,
    Json,
    Reply,
    Request,
    ServiceError,
    error_reply,
    json_body,
    json_reply,
)
from loupe_local.objects import Location, NoSuchObjectError, Objects

FILES = {"crowd-html-elements.js": "text/javascript", "page.css": "text/css"}
SECURITY = {
    "content-security-policy": "default-src 'none'; script-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Workers:
    """The pages of workers, and what they send."""

    def __init__(
        self, database: Database, objects: Objects, send_event: Callable[[Json], None]
    ) -> None:
        self._database = database
        self._objects = objects
        self._pages = TaskPages(objects)
        self.send_event = send_event

    def recognises(self, request: Request) -> bool:
        """By its path."""
        return is_below(request.path, PORTAL)

    def answer(self, request: Request, _caller: Callable[[], Caller]) -> Reply:
        """A page, the open loops, or what an answer led to."""
        loops.expire(self._database, self)
        parts = [unquote(part) for part in request.path.removeprefix(PORTAL).strip("/").split("/")]
        try:
            if request.method == "GET":
                return self._show(parts, request.query.get("worker", "").strip())
            return json_reply(self._change(parts, request))
        except ServiceError as error:
            return error_reply(error)

    def _show(self, parts: list[str], worker: str) -> Reply:
        match parts:
            case ["loops"]:
                return json_reply({"loops": self._open()})
            case [""]:
                tasks = [self._listed(loop, worker) for loop in self._to_do(worker)]
                return _html(self._pages.own("tasks.liquid.html", worker=worker, tasks=tasks))
            case ["next"]:
                first = next(iter(self._to_do(worker)), None)
                return _see(_address(first["name"], worker) if first else _list_address(worker))
            case ["tasks", name]:
                return _html(self._task(name, worker)) if worker else _see(PORTAL)
            case [file] if file in FILES:
                return Reply(200, (PAGES / file).read_bytes(), {"content-type": FILES[file]})
        raise ServiceError("NotFound", f"There is no page {'/'.join(parts)}.", 404)

    def _change(self, parts: list[str], request: Request) -> Json:
        match parts:
            case ["loops", name, "answers"]:
                return self._accept(name, json_body(request, "BadRequest"))
            case ["loops", name, "expire"]:
                loop = loops.find(self._database, name)
                if loop["status"] == "InProgress":
                    loops.end(self._database, self, loop, "Failed", failure=loops.EXPIRED)
                return {"status": loops.find(self._database, name)["status"]}
        raise ServiceError("NotFound", f"There is no {request.method} {request.path}.", 404)

    def _to_do(self, worker: str) -> list[Json]:
        """Open loops that `worker` has not answered, the oldest first."""
        return [loop for loop in self._open() if worker and worker not in loop["answeredBy"]]

    def _listed(self, loop: Json, worker: str) -> Json:
        return loop | {"address": _address(loop["name"], worker)}

    def _task(self, name: str, worker: str) -> str:
        loop = loops.find(self._database, name)
        shown = self._shown(loop)
        if loop["status"] != "InProgress" or shown["template"] is None:
            raise ServiceError("Conflict", f"The loop is {loop['status']}.", 409)
        return self._pages.own(
            "task.liquid.html",
            name=name,
            worker=worker,
            title=shown["title"],
            accepted=time.time(),
            list=_list_address(worker),
            page=self._pages.task(shown["template"], shown["input"]),
        )

    def _open(self) -> list[Json]:
        rows = self._database.rows(
            "SELECT * FROM loop WHERE status = 'InProgress' ORDER BY created, name"
        )
        shown = []
        for row in rows:
            # A crash may have come between the last answer and the output.
            if not self._complete(row):
                shown.append(self._shown(row))
        return shown

    def _shown(self, loop: Row) -> Json:
        flow = self._flow(loop)
        page = flow["HumanLoopConfig"]["HumanTaskUiArn"]
        template = self._database.row("SELECT template FROM task_ui WHERE arn = ?", page)
        return {
            "name": loop["name"],
            "flowDefinitionArn": loop["flow"],
            "created": loops.iso(loop["created"]),
            "title": flow["HumanLoopConfig"]["TaskTitle"],
            "template": template["template"] if template else None,
            "input": json.loads(loop["input"]),
            "answeredBy": [row["worker"] for row in self._answers(loop)],
            "taskCount": flow["HumanLoopConfig"]["TaskCount"],
        }

    def _accept(self, name: str, answer: Json) -> Json:
        worker, content = answer.get("worker"), answer.get("answer")
        if not isinstance(worker, str) or not worker or not isinstance(content, dict):
            raise ServiceError("BadRequest", 'The body must be {"worker": NAME, "answer": {…}}.')
        with self._database.change():
            loop = loops.find(self._database, name)
            if loop["status"] != "InProgress":
                raise ServiceError("Conflict", f"The loop is {loop['status']}.", 409)
            self._database.run(
                "INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?)",
                name,
                worker,
                json.dumps(content),
                answer.get("accepted") or loop["created"],
                time.time(),
            )
        self._complete(loop)
        return {"status": loops.find(self._database, name)["status"]}

    def _complete(self, loop: Row) -> bool:
        """Writes the output when all have answered."""
        flow, answers = self._flow(loop), self._answers(loop)
        if len(answers) < flow["HumanLoopConfig"]["TaskCount"]:
            return False
        output = self._write(loop, flow, answers)
        loops.end(self._database, self, loop, "Completed", output=output)
        return True

    def _write(self, loop: Row, flow: Json, answers: list[Row]) -> str:
        folder = flow["OutputConfig"]["S3OutputPath"].split("://", 1)[1].rstrip("/")
        bucket, _, prefix = folder.partition("/")
        moment = datetime.fromtimestamp(loop["created"], UTC).strftime("%Y/%m/%d/%H/%M/%S")
        name = loop["flow"].rsplit("/", 1)[-1]
        key = "/".join(filter(None, [prefix, name, moment, loop["name"], "output.json"]))
        document = {
            "flowDefinitionArn": loop["flow"],
            "humanAnswers": [_human_answer(row) for row in answers],
            "humanLoopName": loop["name"],
            "inputContent": json.loads(loop["input"]),
        }
        place = Location(bucket, key)
        try:
            self._objects.write(place, json.dumps(document).encode(), "application/json")
        except NoSuchObjectError as error:
            raise ServiceError(
                "Conflict", f"The output cannot be written to {error}.", 409
            ) from error
        return str(place)

    def _flow(self, loop: Row) -> Json:
        row = self._database.row("SELECT request FROM flow WHERE arn = ?", loop["flow"])
        if row is None:
            raise ServiceError("Conflict", f"The flow definition {loop['flow']} is gone.", 409)
        request: Json = json.loads(row["request"])
        return request

    def _answers(self, loop: Row) -> list[Row]:
        query = "SELECT * FROM answer WHERE loop = ? ORDER BY submitted"
        return self._database.rows(query, loop["name"])


def _html(page: str) -> Reply:
    return Reply(200, page.encode(), {"content-type": "text/html; charset=utf-8"} | SECURITY)


def _see(address: str) -> Reply:
    return Reply(303, b"", {"location": address})


def _address(name: str, worker: str) -> str:
    return f"{PORTAL}/tasks/{quote(name, safe='')}?worker={quote(worker, safe='')}"


def _list_address(worker: str) -> str:
    return f"{PORTAL}?worker={quote(worker, safe='')}"


def _human_answer(row: Row) -> Json:
    return {
        "acceptanceTime": loops.iso(row["accepted"]),
        "answerContent": json.loads(row["content"]),
        "submissionTime": loops.iso(row["submitted"]),
        "timeSpentInSeconds": round(row["submitted"] - row["accepted"], 3),
        "workerId": row["worker"],
        "workerMetadata": {
            "identityData": {
                "identityProviderType": "Cognito",
                "issuer": "https://cognito-idp.local/loupe",
                "sub": row["worker"],
            }
        },
    }
