"""Joins the caller's transaction, or runs one of its own.

The driver handles lost connections. It labels each ``ConnectionFailure`` inside a transaction, also that of a stale
connection, so that ``with_transaction`` retries the transaction or the commit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from bson.objectid import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.mongo_client import AsyncMongoClient
from pymongo.errors import InvalidOperation, OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from outgraph_writer.event_ids import recorded, separately
from outgraph_writer.fault import Fault
from outgraph_writer.session import refuse_standalone, require_transaction

_Result = TypeVar("_Result")


async def in_transaction(
    client: AsyncMongoClient[Any],
    session: AsyncClientSession | None,
    work: Callable[[AsyncClientSession], Awaitable[_Result]],
) -> _Result:
    """Runs ``work`` in the transaction of the given session. Without one, runs it in a new transaction.

    The driver retries a new transaction as a whole after a conflict or a failover: ``work`` may run more than once.

    Raises:
        Fault: ``write-concern`` if the caller's transaction could be rolled back after its commit; ``no-transaction``
            on a standalone server.
    """
    if session is not None and session.in_transaction:
        require_transaction(session)
        try:
            return await work(session)
        except BaseException as error:
            forbid_commit(session, error)
            raise
    if session is not None:
        return await _run(session, work)
    async with client.start_session() as own:
        return await _run(own, work)


def forbid_commit(session: AsyncClientSession | None, cause: BaseException) -> None:
    """Refuses the commit of the caller's transaction after a write failed in it: documents may lack their events.

    The transaction can then only be aborted, even if the caller catches the error. The session stays in its transaction
    until the caller ends it. If the library aborted it, the caller's next writes with the session would run outside any
    transaction.
    """
    if session is None or not session.in_transaction:
        return
    commit, abort = session.commit_transaction, session.abort_transaction

    async def end() -> None:
        vars(session).update(commit_transaction=commit, abort_transaction=abort)
        await session.abort_transaction()

    async def refuse() -> None:
        await session.abort_transaction()
        raise InvalidOperation(
            "The transaction was aborted, because a write in it failed and the error was caught: "
            f"let the error end the transaction. The error: {reason}"
        ) from cause

    reason = cause.message if isinstance(cause, Fault) else type(cause).__name__
    vars(session).update(commit_transaction=refuse, abort_transaction=end)


async def _run(session: AsyncClientSession, work: Callable[[AsyncClientSession], Awaitable[_Result]]) -> _Result:
    event_ids: list[ObjectId] = []

    async def attempt(own: AsyncClientSession) -> _Result:
        nonlocal event_ids
        # Only the last attempt is committed.
        with separately() as event_ids:
            return await work(own)

    try:
        result = await session.with_transaction(
            attempt,
            read_concern=ReadConcern("snapshot"),
            write_concern=WriteConcern("majority"),
            read_preference=ReadPreference.PRIMARY,
        )
    except OperationFailure as error:
        refuse_standalone(error)
        raise
    recorded(event_ids)
    return result
