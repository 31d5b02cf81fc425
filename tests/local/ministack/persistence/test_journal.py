"""What the journal keeps, and when."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loupe_local.ministack.persistence.journal import Journal
from loupe_local.ministack.persistence.messages import Queue

OWNERS = st.sampled_from(["a", "b"])
KEYS = st.sampled_from(["1", "2", "3"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), OWNERS, KEYS, st.integers()),
        st.tuples(st.sampled_from(["remove", "remove_before"]), OWNERS, KEYS),
        st.tuples(st.just("clear"), OWNERS),
        st.just(("commit",)),
    )
)


@given(steps=STEPS)
def test_what_is_on_disk_is_the_state_of_the_last_commit(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, ...]]
) -> None:
    """Given any changes, when the process dies, then a new journal has what was committed."""
    path = tmp_path_factory.mktemp("journal") / "journal.sqlite"
    journal = Journal(path)
    now: dict[tuple[str, str], object] = {}
    kept = dict(now)
    for name, *values in steps:
        if name == "commit":
            journal.commit()
            kept = dict(now)
            continue
        getattr(journal, name)("item", *values)
        owner = values[0]
        if name == "put":
            now[owner, values[1]] = values[2]
        else:
            now = {
                (other, key): value
                for (other, key), value in now.items()
                if other != owner
                or (name == "remove" and key != values[1])
                or (name == "remove_before" and key >= values[1])
            }
    for owner in ("a", "b"):
        expected = sorted((key, value) for (other, key), value in kept.items() if other == owner)
        assert Journal(path).entries("item", owner) == expected


def test_what_cannot_be_written_stays_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a database that somebody else holds, then a commit fails and the next one writes it."""
    journal = Journal(tmp_path / "journal.sqlite")
    journal._database.run("PRAGMA busy_timeout = 0")
    journal.put("item", "a", "1", "value")
    with sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError):
            journal.commit()
        other.execute("ROLLBACK")
    journal.commit()
    assert journal.entries("item", "a") == [("1", "value")]


MESSAGES = st.lists(st.integers(0, 5), unique=True)


@given(first=MESSAGES, second=MESSAGES, more=st.lists(st.integers(6, 9), unique=True))
def test_a_queue_notes_whatever_is_done_to_its_messages(
    tmp_path_factory: pytest.TempPathFactory, first: list[int], second: list[int], more: list[int]
) -> None:
    """Given messages that come, are replaced and go, then the journal has those that are left."""
    journal = Journal(tmp_path_factory.mktemp("journal") / "journal.sqlite")
    attributes = {"QueueArn": "arn", "CreatedTimestamp": "1"}
    queue = Queue(journal, {"attributes": attributes, "messages": list(map(message, first))})
    queue["messages"] = list(map(message, second))
    for number in more:
        queue["messages"].append(message(number))
    if queue["messages"]:
        queue["messages"].pop(0)
    if queue["messages"]:
        queue["messages"].remove(queue["messages"][0])
    journal.commit()
    noted = [value["id"] for _, value in journal.entries("message", queue.owner)]
    assert sorted(noted) == sorted(held["id"] for held in queue["messages"])


def message(number: int) -> dict[str, str]:
    """A message."""
    return {"id": str(number), "body": "text"}
