"""The DynamoDB table: what the system learns as it runs.

Every kind of item. A name with a capital is a dataclass, whose fields are the attributes; an item
with `expires` is deleted at that time. `python -m tools.data_model` makes docs/data-model.md of
this chart, and a test holds the keys in the adapters to it:

| pk | sk | what it is | holds | indexes |
| --- | --- | --- | --- | --- |
| IMAGE#<image> | DETECTION | an uploaded image | Detection, counted | listing, states, answered |
| REVIEW#<review> | REVIEW | a task for people | Review, counted | listing, states, answered |
| REVIEWER#<person> | <day> | answers of a person on a day | answers | |
| REVIEWER#<person> | ALL | answers of a person on all days | answers | |
| EXAMPLE#<image> | EXAMPLE | a labelled image | LabelledImage | listing, states |
| GROUP#<group> | GROUP | a picture with its near duplicates | Group, at, changed_in | listing |
| BAND#<band> | <content> | finds near duplicates | group, signature | |
| VERSION#<version> | VERSION | a version of the model | Version | listing |
| PREDICTIONS#<version> | <content> | its answer to a holdout image | Prediction | |
| RUNNING | <version> | the last look; its `at` is `looked_at` | Look, looked_at | |
| RAN#<month> | <day>#<version> | how long a version ran on a day | unit_seconds | |
| SWITCH | <version> | the Event of its last start or stop | event, event_id, told | |
| SETTING#<setting> | SETTING | who changed a setting last | SettingChange, version | |
| EVENT#<event> | EVENT | a domain event | Event, expires | listing, states, history |
| HOURS#<day> | <hour>#<shard> | events of an hour | n_<count>, expires | |
| COUNTS | <shard> | records by state | n_<kind>_<state> | |
| STATE | SERVICE | the version in service | Service | |
| STATE | LEASE | the training run that is at work | holder | |
| STATE | LENT | a champion started for a comparison | version, holder | |
| STATE | PROGRESS | attempts, and changes since the last | Progress | |
| STATE | ATTEMPTS | attempts to start the model | Attempts | |
| STATE | DATASET | whose snapshot each dataset holds | train, test | |
| STATE | COUNTS | usable pictures of each label | StoredCounts | |
| STATE | NONE | answers 'none of the above' | answers | |
| STATE | REVIEWS#<day> | reviews opened on a day | opened | |
| STATE | TURN#<work> | who does what one run at a time does | turn_ends | |
| STATE | SAMPLING | how far sampling has come | pointer, carried | |
| STATE | LOOPS | how far the look at human loops is | pointer | |
| STATE | COLD_START | reviews from before the first model | queued, open, done | |
| STATE | COUNTED | earlier records counted | DETECTION, REVIEW, began, behind, done | |
| STATE | CONFLICTS | how far earlier conflicts are opened | began, after, last, done | |

Indexes:

| index | partition | sorted by | lists |
| --- | --- | --- | --- |
| listing | `list`, such as DETECTION | `at_id`, `<time>#<id>` | everything of a kind |
| states | `list_state`, such as DETECTION#review | `at_id` | what is in a state |
| answered | `answered`, a kind of work | `answered_at` | what awaits that work |
| history | `about`, an image's id | `at_id` | the events of one image |

Events are written in the same transaction as the change that they tell of; the table's stream
publishes them. So no change goes unannounced, and nothing is announced that did not happen. The
same transaction counts them by the hour, in a few shards lest changes wait for one another; one
that meets another all the same is tried again with more shards to choose from.

Records that have a state are written by `new_record` and `changed_record`, which count them by
state in the same transaction and the same way.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zlib import crc32

from botocore.exceptions import ClientError

from loupe.adapters.conflicts import persist
from loupe.adapters.items import plain, stored, to_item
from loupe.domain.events import Event
from loupe.domain.keys import sort_key
from loupe.domain.statistics import tally
from loupe.errors import AlreadyDone, TryAgain

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table as TableResource

Item = dict[str, Any]
EVENT_DAYS = 90
INDEX_KEYS = {
    "listing": ("list", "at_id"),
    "states": ("list_state", "at_id"),
    "answered": ("answered", "answered_at"),
    "history": ("about", "at_id"),
}
SHARDS, MOST_SHARDS = 8, 128
"""A transaction's first attempt counts in one of the first 8, each further one in four times as
many. So a quiet hour has few items to read, and 500 images at a time keep out of each other's way.
"""
COUNT = "n_"
"""Begins the names of counts, lest one is taken for a key of an index."""
STATE_COUNTS = "StateCounts"
"""Beside a write: by how much it changes the number of records in a state."""
LOOKED_AT = 100
"""So many records of a state are looked at to count them; of more, the count kept is shown."""
LAST = "~"
"""Sorts after every time."""
CONDITION_FAILED = "ConditionalCheckFailed"
PASSING = {"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


class Table:
    """Typed access to the one table. `resource` is `boto3.resource("dynamodb").Table(name)`."""

    def __init__(self, resource: "TableResource") -> None:
        self._table = resource
        self._client = resource.meta.client

    def get(self, pk: str, sk: str) -> Item | None:
        """The item, read consistently, or None."""
        found = self._table.get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True).get("Item")
        return None if found is None else plain(found)

    def children(self, pk: str) -> Iterator[Item]:
        """All items of a partition, read consistently."""
        yield from self._pages(
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": pk},
            ConsistentRead=True,
        )

    def listing(
        self,
        index: str,
        value: str,
        *,
        newest_first: bool = True,
        after: str = "",
        before: str = "",
        page: int = 0,
    ) -> Iterator[Item]:
        """Items of an index partition in the order of time, page by page as they are taken.

        `after` and `before` are times or positions (`at_id`), themselves left out; `page` is how
        many items a query reads at most (0: as many as it can).
        """
        for item in self._pages(
            **_indexed(index, value, after or " ", before or LAST),
            ScanIndexForward=not newest_first,
            **({"Limit": page} if page else {}),
        ):
            # BETWEEN, the only range with two ends, takes both in.
            if item[INDEX_KEYS[index][1]] not in (after, before):
                yield item

    def count(self, index: str, value: str, limit: int) -> int:
        """How many items an index partition has, counted up to `limit`."""
        query, counted = _indexed(index, value, " ", LAST), 0
        while counted < limit:
            page = self._table.query(**query, Select="COUNT", Limit=limit - counted)
            counted += page["Count"]
            if "LastEvaluatedKey" not in page:
                break
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        return counted

    def state_counts(self, kind: str, passing: Sequence[str]) -> Counter[str]:
        """How many records of a kind, such as DETECTION, are in each state.

        Those of the `passing` states, which records leave again, are looked at while they are few:
        what a function of an earlier release moves during an update is counted where it was as
        well, and nothing else would ever bring that count down to 0.
        """
        start = f"{COUNT}{kind.lower()}_"
        counts: Counter[str] = Counter()
        for shard in self.children("COUNTS"):
            counts.update(
                {name[len(start) :]: n for name, n in shard.items() if name.startswith(start)}
            )
        for state in passing:
            seen = self.count("states", f"{kind}#{state}", LOOKED_AT)
            counts[state] = seen if seen < LOOKED_AT else max(seen, counts[state])
        return +counts

    def put_new(self, item: Item, events: Sequence[Event] = ()) -> None:
        """Write an item that must not exist yet, and its events; else raise AlreadyDone."""
        self.write([put_new(item)], events)

    def write(self, writes: Sequence[Mapping[str, Any]], events: Sequence[Event] = ()) -> None:
        """All writes and the events of them, or nothing.

        An event that is stored already stays as it is, and is not counted again.
        Raises AlreadyDone when a condition does not hold, TryAgain when other writers keep it out
        for long.
        """
        persist(lambda attempt: self._transact(writes, events, attempt))

    def _transact(
        self, writes: Sequence[Mapping[str, Any]], events: Sequence[Event], attempt: int
    ) -> None:
        shard = _shard(writes, events, attempt)
        items: list[Any] = [
            *({kind: body for kind, body in w.items() if kind != STATE_COUNTS} for w in writes),
            *(put_new(_event_item(event)) for event in events),
            *_counted(events, shard),
            *_state_counts(writes, shard),
        ]
        for item in items:
            (body,) = item.values()
            body["TableName"] = self._table.name
        try:
            if items:
                self._client.transact_write_items(TransactItems=items)
        except ClientError as error:
            known = _stored_events(error, len(writes), events)
            if not known:
                raise _translated(error) from error
            self._transact(writes, [event for event in events if event not in known], attempt)

    def update(
        self, pk: str, sk: str, expression: str, values: Mapping[str, Any], condition: str = ""
    ) -> Item:
        """Update one item and return it as it is now; raises as `write` does."""
        body = update(pk, sk, expression, values, condition)["Update"] | {"ReturnValues": "ALL_NEW"}
        changed = persist(lambda _: _call(self._table.update_item, **body))
        item: Item = plain(changed["Attributes"])
        return item

    def delete(self, pk: str, sk: str, condition: str = "", values: Item | None = None) -> None:
        """Delete one item; raises as `write` does."""
        optional: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        if values:
            optional["ExpressionAttributeValues"] = values
        key = {"pk": pk, "sk": sk}
        persist(lambda _: _call(self._table.delete_item, Key=key, **optional))

    def _pages(self, **query: Any) -> Iterator[Item]:
        while True:
            page = self._table.query(**query)
            yield from map(plain, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def put_new(item: Item) -> dict[str, Item]:
    """A put for `Table.write` of an item that must not exist yet."""
    return {"Put": {"Item": stored(item), "ConditionExpression": "attribute_not_exists(pk)"}}


def save(item: Item, condition: str = "", values: Item | None = None) -> dict[str, Item]:
    """An update for `Table.write` of an item that may exist: attributes beside its own stay.

    `values` (names without colon) are those of `condition`.
    """
    own = {name: value for name, value in item.items() if name not in ("pk", "sk")}
    sets = ", ".join(f"#{name} = :{name}" for name in own)
    return update(item["pk"], item["sk"], f"SET {sets}", own | (values or {}), condition)


def update(
    pk: str, sk: str, expression: str, values: Mapping[str, Any], condition: str = ""
) -> dict[str, Item]:
    """An update for `Table.write`. Words after `#` in the expressions name attributes."""
    body: Item = {
        "Key": {"pk": pk, "sk": sk},
        "UpdateExpression": expression,
        "ExpressionAttributeValues": {f":{k}": stored(v) for k, v in values.items()},
    }
    if condition:
        body["ConditionExpression"] = condition
    names = {w for w in (expression + " " + condition).replace(",", " ").split() if w[0] == "#"}
    if names:
        body["ExpressionAttributeNames"] = {name: name[1:] for name in names}
    return {"Update": body}


def new_record(item: Item) -> dict[str, Item]:
    """A put for `Table.write` of a record that must not exist yet; counts it in its state."""
    write = put_new(item | {"counted": True})
    return write | {STATE_COUNTS: {item["list_state"]: 1}}


def changed_record(
    item: Item, from_state: str, condition: str = "", values: Item | None = None
) -> dict[str, Item]:
    """An update for `Table.write` of a record whose `list_state` is `from_state`; counts the move.

    `condition` and its `values` (names without colon) must hold as well. A record of a release
    that did not count keeps, in `counted`, the state in which it has yet to be counted.
    """
    own = {name: value for name, value in item.items() if name not in ("pk", "sk")}
    sets = ", ".join(f"#{name} = :{name}" for name in own)
    removed = ", ".join(f"#{name}" for name in INDEX_KEYS["answered"] if name not in own)
    write = update(
        item["pk"],
        item["sk"],
        f"SET {sets}, #counted = if_not_exists(counted, :from_state)"
        + (f" REMOVE {removed}" if removed else ""),
        own | {"from_state": from_state} | (values or {}),
        "list_state = :from_state" + (f" AND {condition}" if condition else ""),
    )
    moved = Counter({item["list_state"]: 1})
    moved[from_state] -= 1
    return write | {STATE_COUNTS: dict(moved)}


def listed(kind: str, at: str, identity: str, state: str = "") -> Item:
    """The attributes that put an item into the listings."""
    attributes = {"list": kind, "at_id": sort_key(at, identity)}
    return attributes | ({"list_state": f"{kind}#{state}"} if state else {})


def _indexed(index: str, value: str, low: str, high: str) -> Item:
    """The part of a query that chooses a range of an index partition."""
    hash_key, range_key = INDEX_KEYS[index]
    return {
        "IndexName": index,
        "KeyConditionExpression": "#h = :h AND #r BETWEEN :low AND :high",
        "ExpressionAttributeNames": {"#h": hash_key, "#r": range_key},
        "ExpressionAttributeValues": {":h": value, ":low": low, ":high": high},
    }


def _event_item(event: Event) -> Item:
    item = {
        "pk": f"EVENT#{event.id}",
        "sk": "EVENT",
        **listed("EVENT", event.at, event.id, event.type),
        "expires": _expires(event.at),
        **to_item(event),
    }
    if not event.about:
        del item["about"]  # An index key cannot be empty.
    return item


def _shard(writes: Sequence[Mapping[str, Any]], events: Sequence[Event], attempt: int) -> int:
    """Which shard an attempt counts in: its events in their hour, and its moves."""
    bodies = [body for write in writes for kind, body in write.items() if kind != STATE_COUNTS]
    keys = [str(body.get("Key") or body["Item"]["pk"]) for body in bodies]
    identity = "".join([*keys, *(event.id for event in events), str(attempt)])
    return crc32(identity.encode()) % min(MOST_SHARDS, SHARDS << 2 * attempt)


def _state_counts(writes: Sequence[Mapping[str, Any]], shard: int) -> list[Item]:
    """The write that counts the moves of records from state to state."""
    moves: Counter[str] = Counter()
    for write in writes:
        for state, change in write.get(STATE_COUNTS, {}).items():
            moves[state.lower().replace("#", "_")] += change
    changes = {COUNT + name: change for name, change in moves.items() if change}
    if not changes:
        return []
    added = ", ".join(f"#{name} :{name}" for name in changes)
    return [update("COUNTS", str(shard), f"ADD {added}", changes)]


def _counted(events: Sequence[Event], shard: int) -> list[Item]:
    """The write that counts `events`, which are of one moment, in their hour."""
    counts = tally(events)
    if not counts:
        return []
    first = events[0]
    names = ", ".join(f"#{COUNT}{name} :{COUNT}{name}" for name in counts)
    return [
        update(
            f"HOURS#{first.at[:10]}",
            f"{first.at[11:13]}#{shard}",
            f"SET expires = :expires ADD {names}",
            {"expires": _expires(first.at), **{COUNT + name: n for name, n in counts.items()}},
        )
    ]


def _expires(at: str) -> int:
    return int((datetime.fromisoformat(at) + timedelta(days=EVENT_DAYS)).timestamp())


def _call(action: Callable[..., Any], **request: Any) -> Any:
    try:
        return action(**request)
    except ClientError as error:
        raise _translated(error) from error


def _stored_events(error: ClientError, writes: int, events: Sequence[Event]) -> list[Event]:
    """Which of `events`, that follow so many writes, are stored already, if no write is refused."""
    codes = [reason.get("Code") for reason in error.response.get("CancellationReasons", ())]
    if CONDITION_FAILED in codes[:writes]:
        return []
    of_events = zip(events, codes[writes:], strict=False)
    return [event for event, code in of_events if code == CONDITION_FAILED]


def _translated(error: ClientError) -> Exception:
    code = error.response["Error"]["Code"]
    reasons = {str(reason.get("Code")) for reason in error.response.get("CancellationReasons", ())}
    if code == "ConditionalCheckFailedException" or CONDITION_FAILED in reasons:
        return AlreadyDone("The item was changed by somebody else first.")
    cancelled = code == "TransactionCanceledException" and reasons <= PASSING
    if cancelled or code == "TransactionConflictException":
        return TryAgain(f"The table was busy with another change: {', '.join(sorted(reasons))}.")
    return error
