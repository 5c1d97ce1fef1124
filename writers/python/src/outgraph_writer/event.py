"""From a change to its outbox document, checked by the rules of outgraph's contract. The collection's validator checks them again, for every writer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final, Literal

from bson.codec_options import CodecOptions
from bson.objectid import ObjectId
from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp

from outgraph_writer.aggregate import Aggregate, check_payload
from outgraph_writer.fault import Fault
from outgraph_writer.stored import is_text, to_raw

#: The name of the outbox, in the database of the documents that its events speak of.
OUTBOX: Final = "outbox"

_ID_MAX_BYTES: Final = 512
#: What a text of Python may hold and UTF-8 cannot.
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Change:
    """What happened to one aggregate: made by ``Change.upsert`` or ``Change.delete``."""

    operation: Literal["upsert", "delete"]
    aggregate_id: str
    payload: Mapping[str, Any] | None = None

    @staticmethod
    def upsert(aggregate_id: str, payload: Mapping[str, Any]) -> Change:
        """The aggregate is there. The payload is its full state after the write, never a delta."""
        return Change("upsert", aggregate_id, payload)

    @staticmethod
    def delete(aggregate_id: str) -> Change:
        """The aggregate is gone."""
        return Change("delete", aggregate_id)


def create_event(
    aggregate: Aggregate, change: Change, traceparent: str | None, options: CodecOptions[Any]
) -> dict[str, Any]:
    """The outbox document of a change.

    Raises:
        Fault: ``event-invalid``, or what is wrong with the payload.
    """
    problems = list(_problems(change))
    if problems:
        raise Fault("event-invalid", f'The event of a "{aggregate.type}" cannot be recorded: {"; ".join(problems)}.')
    event: dict[str, Any] = {
        "_id": ObjectId(),
        "aggregateType": aggregate.type,
        "aggregateId": change.aggregate_id,
        "operation": change.operation,
    }
    if change.payload is not None:
        event["payload"] = _payload(aggregate, change.payload, options)
    # Empty: the server puts its own time here, also in a transaction.
    event["position"] = Timestamp(0, 0)
    event["createdAt"] = datetime.now(timezone.utc)
    if traceparent is not None:
        event["traceparent"] = traceparent
    return event | {"status": "pending", "attempts": 0}


def _payload(aggregate: Aggregate, payload: Mapping[str, Any], options: CodecOptions[Any]) -> RawBSONDocument:
    raw = to_raw(payload, options)
    check_payload(aggregate, raw)
    return raw


# Types say the same; who does not check types shall hear of it here, before the transaction is lost to the validator's
# less helpful words.
def _problems(change: Change) -> list[str]:
    problems = []
    aggregate_id: object = change.aggregate_id
    if not is_text(aggregate_id):
        problems.append("aggregateId must be a string")
    elif _SURROGATE.search(aggregate_id) or not 1 <= len(aggregate_id.encode()) <= _ID_MAX_BYTES:
        problems.append(f"aggregateId must be 1 to {_ID_MAX_BYTES} bytes of UTF-8")
    operation: object = change.operation
    payload: object = change.payload
    if operation == "upsert":
        if not isinstance(payload, Mapping):
            problems.append("payload must be a document with operation upsert")
    elif operation == "delete":
        if payload is not None:
            problems.append("payload must be absent with operation delete")
    else:
        problems.append("operation must be upsert or delete")
    return problems
