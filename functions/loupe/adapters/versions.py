"""Versions of the model, what is in service, and who may train: the state behind `improve`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from loupe.adapters import table
from loupe.adapters.items import from_item, readable, to_item
from loupe.domain.comparison import Prediction
from loupe.domain.events import Event
from loupe.domain.model_state import Attempts
from loupe.domain.training import Progress
from loupe.domain.versions import Service, Version, VersionStatus
from loupe.errors import AlreadyDone, NotFound


class Versions(table.TableAdapter):
    """Versions, the service pointer, the lease and the progress, in the table."""

    def get(self, name: str) -> Version:
        """The version; raises NotFound."""
        item = self._table.get(f"VERSION#{name}", "VERSION")
        if item is None:
            raise NotFound(f"There is no version {name!r}; 'loupe models' lists them.")
        return from_item(Version, item)

    def newest(self) -> Iterator[Version]:
        """All versions, newest first."""
        # The index may lag behind a sample that is scored just now; a recent listing is enough.
        return readable(lambda item: from_item(Version, item), self._table.listing("VERSION"))

    def last_attempt(self) -> Version | None:
        """The version of the last attempt, or None before the first."""
        attempts = self.progress().attempts
        return self.get(f"v{attempts}") if attempts else None

    def progress(self) -> Progress:
        """Attempts, changes since the last one, and versions in a row that were not promoted."""
        return from_item(Progress, self._table.get("STATE", "PROGRESS") or {})

    def begin(self, version: Version, attempts: int) -> None:
        """Write a new attempt and count changes from now on; raises AlreadyDone if it was begun."""
        progress = table.update(
            "STATE",
            "PROGRESS",
            "SET attempts = :next, changes = :none, unused = :none",
            {"next": attempts + 1, "none": 0, "attempts": attempts},
            "attribute_not_exists(attempts) OR attempts = :attempts",
        )
        self._table.write([table.put_new(_item(version)), progress])

    def restore(self, version: Version, number: int) -> None:
        """Write the history of a version of another stack; later ones have higher numbers."""
        self._table.write([table.save(_item(version))])
        condition = "attribute_not_exists(attempts) OR attempts < :number"
        with suppress(AlreadyDone):  # A later version was restored before.
            values = {"number": number}
            self._table.update("STATE", "PROGRESS", "SET attempts = :number", values, condition)

    def save(self, version: Version, events: Sequence[Event] = (), **changes: Any) -> Version:
        """Write only `changes` of a version, with events, and return the changed version."""
        changed = replace(version, **changes)
        self._table.write([_changes(version.name, changes)], events)
        return changed

    def close(
        self, version: Version, promoted: bool, events: Sequence[Event], **changes: Any
    ) -> int:
        """Write how an attempt ended; returns how many in a row ended without a promotion."""
        self._table.write([_changes(version.name, changes)], events)
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
        promoted = {"status": VersionStatus.IN_SERVICE, "reason": reason, "approval_token": ""}
        writes = [
            table.save(
                {"pk": "STATE", "sk": "SERVICE", **to_item(service)},
                *table.unchanged({"version": over.version} if over.version else None),
            ),
            _changes(version.name, promoted),
        ]
        if over.version not in ("", version.name):
            writes.append(_changes(over.version, {"status": VersionStatus.REPLACED}))
        self._table.write(writes, events)
        return service

    def attempts(self) -> Attempts | None:
        """Attempts to start the model in service for a backlog since it last ran, or None."""
        item = self._table.get("STATE", "ATTEMPTS")
        return None if item is None else from_item(Attempts, item)

    def save_attempts(self, attempts: Attempts, events: Sequence[Event] = ()) -> None:
        """Write the attempts to start the model, with events."""
        item = {"pk": "STATE", "sk": "ATTEMPTS", **to_item(attempts)}
        self._table.write([table.save(item)], events)

    def forget_attempts(self) -> None:
        """Reset the count of attempts: the model runs, or a person starts it."""
        attempts = self.attempts()
        if attempts and attempts.count:
            self.save_attempts(replace(attempts, count=0, reason="", given_up=False))

    def lease_holder(self) -> str:
        """ARN of the execution that holds the lease, or ""."""
        item = self._table.get("STATE", "LEASE")
        return item["holder"] if item else ""

    def take_lease(self, holder: str, over: str) -> None:
        """Take the lease from `over` ("": nobody); raises AlreadyDone when another was faster."""
        lease = {"pk": "STATE", "sk": "LEASE", "holder": holder}
        self._table.write([table.save(lease, *table.unchanged({"holder": over} if over else None))])

    def release_lease(self, holder: str) -> None:
        """Release the lease; raises AlreadyDone when `holder` does not hold it."""
        self._table.write([table.delete("STATE", "LEASE", "holder = :holder", {"holder": holder})])

    def lend(self, version: str, holder: str) -> None:
        """Store that the execution `holder` starts `version` for a comparison only."""
        lent = {"pk": "STATE", "sk": "LENT", "version": version, "holder": holder}
        self._table.write([table.save(lent)])

    def lent(self) -> tuple[str, str]:
        """The version that was started for a comparison only, and its execution; both may be ""."""
        item = self._table.get("STATE", "LENT") or {}
        return item.get("version", ""), item.get("holder", "")

    def give_back(self, version: str) -> None:
        """Clear that `version` was started for a comparison: it has stopped."""
        none_lent = {"pk": "STATE", "sk": "LENT", "version": ""}
        with suppress(AlreadyDone):
            self._table.write([table.save(none_lent, *table.unchanged({"version": version}))])

    def predictions(self, version: str) -> dict[str, Prediction]:
        """What a version said of labelled images, by content."""
        items = self._table.children(f"PREDICTIONS#{version}")
        return dict(readable(lambda item: (item["sk"], _prediction(item)), items))

    def save_prediction(self, version: str, content: str, prediction: Prediction) -> None:
        """Store what a version said of a labelled image."""
        item = {"pk": f"PREDICTIONS#{version}", "sk": content, **to_item(prediction)}
        self._table.write([table.save(item | {"label": prediction.label or ""})])

    def synced(self) -> dict[str, str]:
        """Which version's snapshot each dataset of the project holds: `{"train": "v3", ...}`."""
        item = self._table.get("STATE", "DATASET") or {}
        return {split: item[split] for split in ("train", "test") if split in item}

    def mark_synced(self, split: str, version: str) -> None:
        """Store that the dataset of `split` holds the snapshot of `version`."""
        self._table.write([table.save({"pk": "STATE", "sk": "DATASET", split: version})])


def _changes(version: str, changes: Mapping[str, Any]) -> table.Item:
    return table.save({"pk": f"VERSION#{version}", "sk": "VERSION", **changes})


def _item(version: Version) -> table.Item:
    item = {"pk": f"VERSION#{version.name}", "sk": "VERSION", **to_item(version)}
    return item | table.listed("VERSION", version.at, version.name)


def _prediction(item: table.Item) -> Prediction:
    return from_item(Prediction, item | {"label": item.get("label") or None})
