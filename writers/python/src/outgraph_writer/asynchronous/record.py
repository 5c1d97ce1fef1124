"""Records events in the outbox, inside the transaction that writes their documents.

A payload that the aggregate's check refuses is refused here, while the writer can still correct it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bson.codec_options import CodecOptions
from bson.objectid import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from outgraph_writer.aggregate import Aggregate
from outgraph_writer.asynchronous.transaction import forbid_commit
from outgraph_writer.event import OUTBOX, Change, create_event
from outgraph_writer.event_ids import recorded
from outgraph_writer.session import require_transaction
from outgraph_writer.traceparent import active_traceparent


async def record_event(
    session: AsyncClientSession,
    db: AsyncDatabase[Any],
    aggregate: Aggregate,
    change: Change,
    *,
    traceparent: str | None = None,
) -> ObjectId:
    """Records one event. Write the document first, then record its event, both with the same session.

    Args:
        session: the session of a running transaction with write concern majority.
        db: the database of the document. The outbox is in the same database.
        aggregate: the aggregate type of the document.
        change: made by ``Change.upsert`` or ``Change.delete``.
        traceparent: W3C trace context, which continues in the graph's transaction. If it is missing or malformed, the
            event gets that of the active OpenTelemetry span, if there is one.

    Returns:
        The id of the event, for ``settled``.

    Raises:
        Fault: ``no-transaction``, ``write-concern``, ``event-invalid``, or the code of an invalid payload. After any
            error the transaction cannot be committed, even if you catch the error.

    Example:
        >>> async with client.start_session() as session, await session.start_transaction():
        ...     await db.people.insert_one(ada, session=session)
        ...     await record_event(session, db, person, Change.upsert(ada["_id"], ada))
    """
    (event_id,) = await record_events(session, db, aggregate, [change], traceparent=traceparent)
    return event_id


async def record_events(
    session: AsyncClientSession,
    db: AsyncDatabase[Any],
    aggregate: Aggregate,
    changes: Iterable[Change],
    *,
    traceparent: str | None = None,
) -> list[ObjectId]:
    """Records events of several aggregates of one type, in the order given.

    The arguments and errors are those of ``record_event``. Returns the ids of the events.

    Example:
        >>> await record_events(session, db, person, [Change.delete("ada"), Change.delete("bob")])
    """
    try:
        require_transaction(session)
        return await insert_events(session, db, create_events(db, aggregate, changes, traceparent))
    except BaseException as error:
        forbid_commit(session, error)
        raise


def create_events(
    db: AsyncDatabase[Any], aggregate: Aggregate, changes: Iterable[Change], traceparent: str | None
) -> list[dict[str, Any]]:
    """The outbox documents of changes. Raises the fault of the first invalid change."""
    trace = active_traceparent(traceparent)
    return [create_event(aggregate, change, trace, db.codec_options) for change in changes]


async def insert_events(
    session: AsyncClientSession, db: AsyncDatabase[Any], events: list[dict[str, Any]]
) -> list[ObjectId]:
    """Inserts events in their order. Returns their ids."""
    if events:
        await db.get_collection(OUTBOX, codec_options=CodecOptions()).insert_many(events, session=session)
    event_ids = [event["_id"] for event in events]
    recorded(event_ids)
    return event_ids
