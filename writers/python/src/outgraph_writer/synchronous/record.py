# Made by tools/synchronous.py from src/outgraph_writer/asynchronous/record.py: change that one.
"""Records events in the outbox, inside the transaction that writes their documents. What the aggregate's check refuses is refused here, where the writer can still mend it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bson.codec_options import CodecOptions
from pymongo.synchronous.client_session import ClientSession
from pymongo.synchronous.database import Database

from outgraph_writer.aggregate import Aggregate
from outgraph_writer.event import OUTBOX, Change, create_event
from outgraph_writer.session import require_transaction
from outgraph_writer.synchronous.transaction import forbid_commit
from outgraph_writer.traceparent import active_traceparent


def record_event(
    session: ClientSession,
    db: Database[Any],
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
        >>> with client.start_session() as session, session.start_transaction():
        ...     db.people.insert_one(ada, session=session)
        ...     record_event(session, db, person, Change.upsert(ada["_id"], ada))
    """
    record_events(session, db, aggregate, [change], traceparent=traceparent)


def record_events(
    session: ClientSession,
    db: Database[Any],
    aggregate: Aggregate,
    changes: Iterable[Change],
    *,
    traceparent: str | None = None,
) -> None:
    """Records events of several aggregates of one type, in the order given. See ``record_event``."""
    try:
        require_transaction(session)
        insert_events(session, db, create_events(db, aggregate, changes, traceparent))
    except BaseException as error:
        forbid_commit(session, error)
        raise


def create_events(
    db: Database[Any], aggregate: Aggregate, changes: Iterable[Change], traceparent: str | None
) -> list[dict[str, Any]]:
    """The outbox documents of changes; raises what is wrong with one of them."""
    trace = active_traceparent(traceparent)
    return [create_event(aggregate, change, trace, db.codec_options) for change in changes]


def insert_events(session: ClientSession, db: Database[Any], events: list[dict[str, Any]]) -> None:
    """Inserts events in their order."""
    if events:
        db.get_collection(OUTBOX, codec_options=CodecOptions()).insert_many(events, session=session)
