"""Versions of the model, what is in service, and who may train: the state behind `improve`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from loupe.adapters.items import from_item, readable, to_item
from loupe.adapters.table import Item, Table, listed, put_new, save, update
from loupe.domain.comparison import Prediction
from loupe.domain.events import Event
from loupe.domain.model_state import Attempts
from loupe.domain.training import Attempt, Progress
from loupe.domain.versions import Service, Version, VersionStatus
from loupe.errors import AlreadyDone, NotFound


class Versions:
    """Versions, the service pointer, the lease and the progress, in the table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, name: str) -> Version:
        """The version; raises NotFound."""
        item = self._table.get(f"VERSION#{name}", "VERSION")
        if item is None:
            raise NotFound(f"There is no version {name!r}; 'loupe models' lists them.")
        return from_item(Version, item)

    def newest(self) -> Iterator[Version]:
        """All versions, newest first."""
        # A sample may be scored while the index is behind: the listing needs only be recent.
        found = self._table.listing("listing", "VERSION")
        yield from readable(lambda item: from_item(Version, item), found)

    def last_attempt(self) -> Attempt | None:
        """The version of the last attempt, or None before the first."""
        progress = self.progress()
        if not progress.attempts:
            return None
        version = self.get(f"v{progress.attempts}")
        return Attempt(version.name, version.status, version.f1, version.retry_at, version.failures)

    def progress(self) -> Progress:
        """Attempts, changes since the last one, and versions in a row that were not promoted."""
        return from_item(Progress, self._table.get("STATE", "PROGRESS") or {})

    def begin(self, version: Version, attempts: int) -> None:
        """Write a new attempt and count changes from now on; raises AlreadyDone if it was begun."""
        self._table.write(
            [
                put_new(_item(version)),
                update(
                    "STATE",
                    "PROGRESS",
                    "SET attempts = :next, changes = :none, unused = :none",
                    {"next": attempts + 1, "none": 0, "attempts": attempts},
                    "attribute_not_exists(attempts) OR attempts = :attempts",
                ),
            ]
        )

    def restore(self, version: Version, number: int) -> None:
        """Write the history of a version of another stack; later ones have higher numbers."""
        self._table.write([save(_item(version))])
        try:
            self._table.update(
                "STATE",
                "PROGRESS",
                "SET attempts = :number",
                {"number": number},
                "attribute_not_exists(attempts) OR attempts < :number",
            )
        except AlreadyDone:
            return  # A later one was restored before.

    def save(self, version: Version, events: Sequence[Event] = (), **changes: Any) -> Version:
        """Write only `changes` of a version, with events, and return it as it should be now."""
        changed = replace(version, **changes)
        self._table.write([_changes(version, changes)], events)
        return changed

    def close(
        self, version: Version, promoted: bool, events: Sequence[Event], **changes: Any
    ) -> int:
        """Write how an attempt ended; returns how many in a row were not promoted."""
        self._table.write([_changes(version, changes)], events)
        expression = "SET not_promoted = :none" if promoted else "ADD not_promoted :one"
        values = {"none": 0} if promoted else {"one": 1}
        item = self._table.update("STATE", "PROGRESS", expression, values)
        return int(item["not_promoted"])

    def service(self) -> Service:
        """What is in service; empty before the first promotion."""
        return from_item(Service, self._table.get("STATE", "SERVICE") or {})

    def promote(
        self, version: Version, over: Service, at: str, reason: str, events: Sequence[Event]
    ) -> Service:
        """Put `version` into service instead of `over`, by one conditional write.

        Raises AlreadyDone when something else was put into service meanwhile.
        """
        service = Service(version.name, version.arn, over.version, at)
        writes = [
            save(
                {"pk": "STATE", "sk": "SERVICE", **to_item(service)},
                "version = :over" if over.version else "attribute_not_exists(pk)",
                {"over": over.version} if over.version else None,
            ),
            _changes(
                version,
                {"status": VersionStatus.IN_SERVICE, "reason": reason, "approval_token": ""},
            ),
        ]
        if over.version and over.version != version.name:
            writes.append(
                update(
                    f"VERSION#{over.version}",
                    "VERSION",
                    "SET #status = :status",
                    {"status": VersionStatus.REPLACED},
                )
            )
        self._table.write(writes, events)
        return service

    def attempts(self) -> Attempts | None:
        """Attempts to start the model in service for a backlog since it last ran, or None."""
        item = self._table.get("STATE", "ATTEMPTS")
        return None if item is None else from_item(Attempts, item)

    def save_attempts(self, attempts: Attempts, events: Sequence[Event] = ()) -> None:
        """Write the attempts to start the model, with events."""
        item = {"pk": "STATE", "sk": "ATTEMPTS", **to_item(attempts)}
        self._table.write([save(item)], events)

    def forget_attempts(self) -> None:
        """Count attempts from none again: the model runs, or a person starts it."""
        attempts = self.attempts()
        if attempts and attempts.count:
            self.save_attempts(replace(attempts, count=0, reason="", given_up=False))

    def lease_holder(self) -> str:
        """ARN of the execution that holds the lease, or ""."""
        item = self._table.get("STATE", "LEASE")
        return item["holder"] if item else ""

    def take_lease(self, holder: str, over: str) -> None:
        """Take the lease from `over` ("": nobody); raises AlreadyDone when another was faster."""
        self._table.write(
            [
                save(
                    {"pk": "STATE", "sk": "LEASE", "holder": holder},
                    "holder = :over" if over else "attribute_not_exists(pk)",
                    {"over": over} if over else None,
                )
            ]
        )

    def release_lease(self, holder: str) -> None:
        """Give the lease back; raises AlreadyDone when `holder` does not hold it."""
        self._table.delete("STATE", "LEASE", "holder = :holder", {":holder": holder})

    def lend(self, version: str, holder: str) -> None:
        """Remember that the execution `holder` starts `version` for a comparison only."""
        self._table.write(
            [save({"pk": "STATE", "sk": "LENT", "version": version, "holder": holder})]
        )

    def lent(self) -> tuple[str, str]:
        """The version that was started for a comparison only, and for which execution, or ""."""
        item = self._table.get("STATE", "LENT") or {}
        return item.get("version", ""), item.get("holder", "")

    def give_back(self, version: str) -> None:
        """Forget that `version` was started for a comparison: it has stopped."""
        with suppress(AlreadyDone):
            self._table.update(
                "STATE",
                "LENT",
                "SET version = :nothing",
                {"nothing": "", "version": version},
                "version = :version",
            )

    def predictions(self, version: str) -> dict[str, Prediction]:
        """What a version said of holdout images, by content."""
        found = self._table.children(f"PREDICTIONS#{version}")
        return dict(readable(lambda item: (item["sk"], _prediction(item)), found))

    def save_prediction(self, version: str, content: str, prediction: Prediction) -> None:
        """Keep what a version said of a holdout image."""
        self._table.write(
            [
                save(
                    {
                        "pk": f"PREDICTIONS#{version}",
                        "sk": content,
                        "label": prediction.label or "",
                        "confidence": prediction.confidence,
                    }
                )
            ]
        )

    def synced(self) -> dict[str, str]:
        """Which version's snapshot each dataset of the project holds: `{"train": "v3", ...}`."""
        item = self._table.get("STATE", "DATASET") or {}
        return {split: item[split] for split in ("train", "test") if split in item}

    def mark_synced(self, split: str, version: str) -> None:
        """Remember that the dataset of `split` was given the snapshot of `version`."""
        self._table.update("STATE", "DATASET", "SET #" + split + " = :v", {"v": version})


def _changes(version: Version, changes: Mapping[str, Any]) -> Item:
    names = ", ".join(f"#{name} = :{name}" for name in changes)
    return update(f"VERSION#{version.name}", "VERSION", f"SET {names}", changes)


def _item(version: Version) -> Item:
    return to_item(version) | {
        "pk": f"VERSION#{version.name}",
        "sk": "VERSION",
        **listed("VERSION", version.at, version.name),
    }


def _prediction(item: Item) -> Prediction:
    return from_item(Prediction, item | {"label": item.get("label") or None})
