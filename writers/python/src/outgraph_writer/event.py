"""Turns a change into its outbox document, and checks it by the rules of outgraph's contract.

The collection's validator checks the document again, for every writer.
"""

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

#: The name of the outbox, which is in the database of its documents: ``db[OUTBOX].count_documents({})``.
OUTBOX: Final = "outbox"

#: The version of outgraph's contract that this library writes. ``outgraph doctor`` reports that of an outbox.
CONTRACT_VERSION: Final = 1

_ID_MAX_BYTES: Final = 512
#: Code points that a text of Python may contain, but UTF-8 may not.
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Change:
    """A change of one aggregate. Create it with ``Change.upsert`` or ``Change.delete``.

    ``record_event`` refuses an invalid one with ``event-invalid``.

    Example:
        >>> Change.delete("bob")
        Change(operation='delete', aggregate_id='bob', payload=None)
    """

    operation: Literal["upsert", "delete"]
    aggregate_id: str
    payload: Mapping[str, Any] | None = None

    @staticmethod
    def upsert(aggregate_id: str, payload: Mapping[str, Any]) -> Change:
        """The aggregate was created or changed. The payload is its full state after the write, never a delta."""
        return Change("upsert", aggregate_id, payload)

    @staticmethod
    def delete(aggregate_id: str) -> Change:
        """The aggregate was deleted."""
        return Change("delete", aggregate_id)


def create_event(
    aggregate: Aggregate, change: Change, traceparent: str | None, options: CodecOptions[Any]
) -> dict[str, Any]:
    """The outbox document of a change.

    Raises:
        Fault: ``event-invalid``, or the code of an invalid payload.
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
    # Empty: the server fills in its own time, also in a transaction.
    event["position"] = Timestamp(0, 0)
    event["createdAt"] = datetime.now(timezone.utc)
    if traceparent is not None:
        event["traceparent"] = traceparent
    return event | {"status": "pending", "attempts": 0}


def _payload(aggregate: Aggregate, payload: Mapping[str, Any], options: CodecOptions[Any]) -> RawBSONDocument:
    raw = to_raw(payload, options)
    check_payload(aggregate, raw)
    return raw


# The types state the same rules. Programs without a type checker get these messages, before the validator aborts the
# transaction with a less helpful one.
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
