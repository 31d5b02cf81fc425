"""The DynamoDB table: what the system learns as it runs.

Every kind of item. A name with a capital is a dataclass, whose fields are the attributes; an item
with `expires` is deleted at that time. `python -m tools.data_model` makes docs/data-model.md of
this chart, and a test holds the keys in the adapters to it:

| pk | sk | what it is | holds | indexes |
| --- | --- | --- | --- | --- |
| IMAGE#<image> | DETECTION | an uploaded image | Detection, counted | listing, states, answered |
| REVIEW#<review> | REVIEW | a task for people | Review, counted | listing, states, answered |
| RELIABILITY#<name> | <label> | how often a person, or a version, was right | Reliability | |
| REVIEWER#<person> | <day> | answers of a person on a day | answers | |
| REVIEWER#<person> | ALL | answers of a person on all days | answers | |
| EXAMPLE#<image> | EXAMPLE | a labelled image | LabelledImage | listing, states |
| GROUP#<group> | GROUP | a picture with its near duplicates | Group, at, changed_in | listing |
| SERIES#<series> | SERIES | images that belong together | Series | |
| BAND#<band> | <content> | finds near duplicates | group, signature | |
| LABEL#<label> | LABEL | what reviewers see of a label | LabelNote | listing |
| NONE#<image> | NONE | an image that no label fits | UnlabelledImage | listing |
| SUSPECT#<image> | SUSPECT | its label is doubted, or confirmed | ListedSuspect | listing, states |
| VERSION#<version> | VERSION | a version of the model | Version | listing |
| PREDICTIONS#<version> | <content> | its answer to a labelled image | Prediction | |
| OBSERVED#<version> | OBSERVED | what it says in production | Observation | |
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
| STATE | COUNTS | usable pictures of each label | labels, revision | |
| STATE | NONE | answers 'none of the above' | answers | |
| STATE | REVIEWS#<day> | reviews opened on a day | opened | |
| STATE | TURN#<work> | who does what one run at a time does | turn_ends | |
| STATE | SAMPLING | how far sampling has come | pointer, carried | |
| STATE | OBSERVED | how far the look at readings is | pointer | |
| STATE | LOOPS | how far the look at human loops is | pointer | |
| STATE | COLD_START | reviews from before the first model | queued, open, done | |
| STATE | SETTLING | how far a version has read queued images | since, pointer, done, before | |
| STATE | COUNTED | earlier records counted | DETECTION, REVIEW, began, behind, done | |
| STATE | CONFLICTS | how far earlier conflicts are opened | began, after, last, done | |

Indexes:

| index | partition | sorted by | lists |
| --- | --- | --- | --- |
| listing | `list`, such as DETECTION | `at_id`, `<time>#<id>` | everything of a kind |
| states | `list_state`, such as DETECTION#review | `at_id` | what is in a state |
| answered | `answered`, a kind of work | `answered_at` | what awaits that work |
| history | `about`, an image's id | `at_id` | the events of one image |

Events are written in the same transaction as the change that they report; the table's stream
publishes them. So every change is announced, and nothing else is. The same transaction counts the
events by the hour. The counts are split into shards so that transactions rarely conflict; one that
does is tried again with more shards to choose from.

Records that have a state are written by `new_record` and `changed_record`, which count them by
state in the same transaction and the same way.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
from loupe.faults import code_of

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
"""A transaction's first attempt counts in one of the first 8 shards, each further attempt in one of
four times as many. So a quiet hour has few items to read, and 500 parallel images rarely conflict.
"""
COUNT = "n_"
"""Prefix of the attributes that hold counts, so that none is read as the key of an index."""
STATE_COUNTS = "StateCounts"
"""Beside a write: by how much it changes the number of records in a state."""
COUNTED_EXACTLY = 100
"""Up to this many records of a state are counted by query; above it the stored count is shown."""
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
        item = self._table.get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True).get("Item")
        return None if item is None else plain(item)

    def children(self, pk: str) -> Iterator[Item]:
        """All items of a partition, read consistently."""
        yield from self._pages(
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": pk},
            ConsistentRead=True,
        )

    def listing(
        self,
        kind: str,
        state: str = "",
        *,
        index: str = "",
        newest_first: bool = True,
        after: str = "",
        before: str = "",
        page: int = 0,
    ) -> Iterator[Item]:
        """Items of a kind, of one state or of all, in order of time; read page by page on demand.

        `index` replaces the index of kinds or states, `kind` is then its partition. `after` and
        `before` are exclusive bounds: times or sort keys. `page` is the largest number of items
        that one query reads (0: no limit).
        """
        index = index or ("states" if state else "listing")
        for item in self._pages(
            **_indexed(index, f"{kind}#{state}" if state else kind, after or " ", before or LAST),
            ScanIndexForward=not newest_first,
            **({"Limit": page} if page else {}),
        ):
            # BETWEEN, the only range with two ends, includes both.
            if item[INDEX_KEYS[index][1]] not in (after, before):
                yield item

    def count(self, kind: str, state: str, limit: int) -> int:
        """How many records of a kind are in a state, counted up to `limit`."""
        query, counted = _indexed("states", f"{kind}#{state}", " ", LAST), 0
        while counted < limit:
            page = self._table.query(**query, Select="COUNT", Limit=limit - counted)
            counted += page["Count"]
            if "LastEvaluatedKey" not in page:
                break
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        return counted

    def state_counts(self, kind: str, passing: Sequence[str]) -> Counter[str]:
        """How many records of a kind, such as DETECTION, are in each state.

        Records leave the `passing` states again; these are counted by query while they are few. A
        function of an earlier release that moves a record during an update does not change the
        stored count, which would then never return to 0.
        """
        start = f"{COUNT}{kind.lower()}_"
        counts: Counter[str] = Counter()
        for shard in self.children("COUNTS"):
            counts.update(
                {name[len(start) :]: n for name, n in shard.items() if name.startswith(start)}
            )
        for state in passing:
            counted = self.count(kind, state, COUNTED_EXACTLY)
            counts[state] = counted if counted < COUNTED_EXACTLY else max(counted, counts[state])
        return +counts

    def write(self, writes: Sequence[Mapping[str, Any]], events: Sequence[Event] = ()) -> None:
        """Write all items and their events, or nothing.

        An event that is stored already stays as it is, and is not counted again. Raises AlreadyDone
        when a condition does not hold, TryAgain when conflicts with other writers do not end.
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
            already_stored = _stored_events(error, len(writes), events)
            if not already_stored:
                raise _translated(error) from error
            self._transact(writes, [e for e in events if e not in already_stored], attempt)

    def update(
        self, pk: str, sk: str, expression: str, values: Mapping[str, Any], condition: str = ""
    ) -> Item:
        """Update one item and return its new attributes; raises as `write` does."""
        body = update(pk, sk, expression, values, condition)["Update"] | {"ReturnValues": "ALL_NEW"}
        item: Item = plain(persist(lambda _: self._update_item(body))["Attributes"])
        return item

    def _update_item(self, body: Item) -> Any:
        try:
            return self._table.update_item(**body)
        except ClientError as error:
            raise _translated(error) from error

    def _pages(self, **query: Any) -> Iterator[Item]:
        while True:
            page = self._table.query(**query)
            yield from map(plain, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


class TableAdapter:
    """Base of the adapters that keep their records in the table."""

    def __init__(self, table: Table) -> None:
        self._table = table


def put_new(item: Item) -> dict[str, Item]:
    """A put for `Table.write` of an item that must not exist yet."""
    return {"Put": {"Item": stored(item), "ConditionExpression": "attribute_not_exists(pk)"}}


def save(item: Item, condition: str = "", values: Item | None = None) -> dict[str, Item]:
    """An update for `Table.write` of an item that may exist; its other attributes stay.

    `values` (names without colon) are those of `condition`.
    """
    own, sets = _assignments(item)
    return update(item["pk"], item["sk"], sets, own | (values or {}), condition)


def unchanged(before: Item | None) -> tuple[str, Item]:
    """The condition, and its values, that an item has the attributes `before` (None: is new)."""
    if before is None:
        return "attribute_not_exists(pk)", {}
    condition = " AND ".join(f"#{name} = :{name}_before" for name in before)
    return condition, {f"{name}_before": value for name, value in before.items()}


def _assignments(item: Item) -> tuple[Item, str]:
    """The attributes of an item beside its key, and the expression that sets them."""
    own = {name: value for name, value in item.items() if name not in ("pk", "sk")}
    return own, "SET " + ", ".join(f"#{name} = :{name}" for name in own)


def update(
    pk: str, sk: str, expression: str, values: Mapping[str, Any], condition: str = ""
) -> dict[str, Item]:
    """An update for `Table.write`. In the expressions `#name` stands for the attribute `name`."""
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


def delete(
    pk: str, sk: str, condition: str = "", values: Mapping[str, Any] | None = None
) -> dict[str, Item]:
    """A delete for `Table.write`, on a condition; `values` as in `update`."""
    body: Item = {"Key": {"pk": pk, "sk": sk}}
    if condition:
        body["ConditionExpression"] = condition
    if values:
        body["ExpressionAttributeValues"] = {f":{k}": stored(v) for k, v in values.items()}
    return {"Delete": body}


def new_record(item: Item) -> dict[str, Item]:
    """A put for `Table.write` of a record that must not exist yet; counts it in its state."""
    return put_new(item | {"counted": True}) | {STATE_COUNTS: {item["list_state"]: 1}}


def changed_record(
    item: Item, from_state: str, condition: str = "", values: Item | None = None
) -> dict[str, Item]:
    """An update for `Table.write` of a record whose `list_state` is `from_state`; counts the move.

    `condition` and its `values` (names without colon) must hold as well. A record of a release
    that did not count keeps, in `counted`, the state in which it has yet to be counted.
    """
    own, sets = _assignments(item)
    removed = ", ".join(f"#{name}" for name in INDEX_KEYS["answered"] if name not in own)
    expression = f"{sets}, #counted = if_not_exists(counted, :from_state)"
    write = update(
        item["pk"],
        item["sk"],
        f"{expression} REMOVE {removed}" if removed else expression,
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
    item = {"pk": f"EVENT#{event.id}", "sk": "EVENT", "expires": _expires(event.at)}
    item |= listed("EVENT", event.at, event.id, event.type) | to_item(event)
    if not event.about:
        del item["about"]  # An index key cannot be empty.
    return item


def _shard(writes: Sequence[Mapping[str, Any]], events: Sequence[Event], attempt: int) -> int:
    """The shard in which an attempt counts its events and its moves from state to state."""
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
    values = {COUNT + name: number for name, number in counts.items()}
    expression = "SET expires = :expires ADD " + ", ".join(f"#{name} :{name}" for name in values)
    values["expires"] = _expires(first.at)
    return [update(f"HOURS#{first.at[:10]}", f"{first.at[11:13]}#{shard}", expression, values)]


def _expires(at: str) -> int:
    return int((datetime.fromisoformat(at) + timedelta(days=EVENT_DAYS)).timestamp())


def _stored_events(error: ClientError, writes: int, events: Sequence[Event]) -> list[Event]:
    """The `events` of a failed transaction, behind its `writes`, that are stored already.

    None when the condition of a write failed as well.
    """
    codes = [reason.get("Code") for reason in error.response.get("CancellationReasons", ())]
    if CONDITION_FAILED in codes[:writes]:
        return []
    of_events = zip(events, codes[writes:], strict=False)
    return [event for event, code in of_events if code == CONDITION_FAILED]


def _translated(error: ClientError) -> Exception:
    code = code_of(error)
    reasons = {str(reason.get("Code")) for reason in error.response.get("CancellationReasons", ())}
    if code == "ConditionalCheckFailedException" or CONDITION_FAILED in reasons:
        return AlreadyDone("The item was changed by somebody else first.")
    cancelled = code == "TransactionCanceledException" and reasons <= PASSING
    if cancelled or code == "TransactionConflictException":
        return TryAgain(f"The table was busy with another change: {', '.join(sorted(reasons))}.")
    return error
