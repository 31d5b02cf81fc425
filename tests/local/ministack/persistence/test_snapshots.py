"""What is saved, in which order, and what happens while services change."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loupe_local.ministack.persistence.snapshots import ATTEMPTS, Chosen, SnapshotWriter


class Services:
    """Two services whose state the test sets."""

    def __init__(self) -> None:
        self.state = {"queue": "1", "table": "1"}
        self.restless = 0

    def __call__(self, chosen: Chosen) -> Iterator[tuple[str, str]]:
        if self.restless:
            self.restless -= 1
            raise RuntimeError("dictionary changed size during iteration")
        yield from ((name, text) for name, text in self.state.items() if chosen(name))


@pytest.fixture
def services() -> Services:
    """Services with some state."""
    return Services()


def writer(folder: Path, services: Services) -> SnapshotWriter:
    """A writer that trims nothing."""
    return SnapshotWriter(folder, services, lambda: None, lambda: None)


def test_only_what_changed_is_written_again(tmp_path: Path, services: Services) -> None:
    """Given saved services, when one changes, then its file alone is replaced."""
    snapshots = writer(tmp_path, services)
    snapshots.save()
    (tmp_path / "queue.json").unlink()
    services.state["table"] = "2"
    snapshots.save()
    assert [path.name for path in tmp_path.iterdir()] == ["table.json"]
    assert (tmp_path / "table.json").read_text() == "2"


def test_chosen_services_alone_are_written(tmp_path: Path, services: Services) -> None:
    """Given two services, when one is chosen, then its file alone is written."""
    writer(tmp_path, services).save(lambda name: name == "queue")
    assert [path.name for path in tmp_path.iterdir()] == ["queue.json"]


def test_the_journal_is_written_before_the_states(tmp_path: Path, services: Services) -> None:
    """Given noted changes, when states are saved, then the changes are committed first."""
    seen: list[list[Path]] = []
    snapshots = SnapshotWriter(
        tmp_path, services, lambda: seen.append(list(tmp_path.iterdir())), lambda: None
    )
    snapshots.save()
    assert seen == [[]]


def test_services_that_change_meanwhile_are_read_again(tmp_path: Path, services: Services) -> None:
    """Given a service that changes while it is read, then it is read again, but not for ever."""
    snapshots = writer(tmp_path, services)
    services.restless = ATTEMPTS - 1
    snapshots.save()
    assert len(list(tmp_path.iterdir())) == 2
    services.restless = ATTEMPTS
    with pytest.raises(RuntimeError, match="changed all the time"):
        snapshots.save()
