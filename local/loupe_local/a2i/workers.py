"""Where the people who answer reach the loops: outside AWS's own API, on this machine only."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import unquote

from loupe_local.a2i import loops
from loupe_local.database import Database, Row
from loupe_local.objects import Location, NoSuchObjectError, Objects
from loupe_local.wire import (
    Caller,
    Json,
    Reply,
    Request,
    ServiceError,
    error_reply,
    json_body,
    json_reply,
)

PATH = "/_loupe/a2i/loops"


class Workers:
    """`GET /_loupe/a2i/loops`, `POST /_loupe/a2i/loops/NAME/answers`."""

    def __init__(
        self, database: Database, objects: Objects, send_event: Callable[[Json], None]
    ) -> None:
        self._database = database
        self._objects = objects
        self.send_event = send_event

    def recognises(self, request: Request) -> bool:
        """By its path."""
        return request.path == PATH or request.path.startswith(f"{PATH}/")

    def answer(self, request: Request, _caller: Callable[[], Caller]) -> Reply:
        """The open loops, or what an answer led to."""
        loops.expire(self._database, self)
        parts = [unquote(part) for part in request.path.removeprefix(PATH).strip("/").split("/")]
        try:
            match request.method, parts:
                case "GET", [""]:
                    return json_reply({"loops": self._open()})
                case "POST", [name, "answers"]:
                    return json_reply(self._accept(name, json_body(request, "BadRequest")))
            raise ServiceError("NotFound", f"There is no {request.method} {request.path}.", 404)
        except ServiceError as error:
            return error_reply(error)

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

    def _accept(self, name: str, given: Json) -> Json:
        worker, content = given.get("worker"), given.get("answer")
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
                given.get("accepted") or loop["created"],
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
