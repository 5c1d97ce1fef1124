"""Records events in the outbox, inside the transaction that writes their documents. What the aggregate's check refuses is refused here, where the writer can still mend it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bson.codec_options import CodecOptions
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from outgraph_writer.aggregate import Aggregate
from outgraph_writer.asynchronous.transaction import forbid_commit
from outgraph_writer.event import OUTBOX, Change, create_event
from outgraph_writer.session import require_transaction
from outgraph_writer.traceparent import active_traceparent


async def record_event(
    session: AsyncClientSession,
    db: AsyncDatabase[Any],
    aggregate: Aggregate,
    change: Change,
    *,
    traceparent: str | None = None,
) -> None:
    """Records one event. Write the document first, then record its event, both with the same session.

    Args:
        session: the session of a running transaction with write concern majority.
        db: the database of the document: its outbox is in the same one.
        traceparent: W3C trace context, carried to the graph's transaction; left out, or malformed, that of the active OpenTelemetry span, if there is one.

    Raises:
        Fault: ``no-transaction``, ``write-concern``, ``event-invalid``, or what is wrong with the payload. After any error the transaction cannot be committed, also if it is
            caught.

    Example:
        >>> async with client.start_session() as session, await session.start_transaction():
        ...     await db.people.insert_one(ada, session=session)
        ...     await record_event(session, db, person, Change.upsert(ada["_id"], ada))
    """
    await record_events(session, db, aggregate, [change], traceparent=traceparent)


async def record_events(
    session: AsyncClientSession,
    db: AsyncDatabase[Any],
    aggregate: Aggregate,
    changes: Iterable[Change],
    *,
    traceparent: str | None = None,
) -> None:
    """Records events of several aggregates of one type, in the order given. See ``record_event``."""
    try:
        require_transaction(session)
        await insert_events(session, db, create_events(db, aggregate, changes, traceparent))
    except BaseException as error:
        forbid_commit(session, error)
        raise


def create_events(
    db: AsyncDatabase[Any], aggregate: Aggregate, changes: Iterable[Change], traceparent: str | None
) -> list[dict[str, Any]]:
    """The outbox documents of changes; raises what is wrong with one of them."""
    trace = active_traceparent(traceparent)
    return [create_event(aggregate, change, trace, db.codec_options) for change in changes]


async def insert_events(session: AsyncClientSession, db: AsyncDatabase[Any], events: list[dict[str, Any]]) -> None:
    """Inserts events in their order."""
    if events:
        await db.get_collection(OUTBOX, codec_options=CodecOptions()).insert_many(events, session=session)
