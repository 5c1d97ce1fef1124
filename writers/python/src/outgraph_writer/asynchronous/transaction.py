"""Joins the caller's transaction, or runs one of its own.

The driver sees to lost connections: it labels each ``ConnectionFailure`` inside a transaction, also one of a stale connection, so that ``with_transaction`` begins again or sends the commit again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.mongo_client import AsyncMongoClient
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from outgraph_writer.session import require_transaction

_Result = TypeVar("_Result")


async def in_transaction(
    client: AsyncMongoClient[Any],
    session: AsyncClientSession | None,
    work: Callable[[AsyncClientSession], Awaitable[_Result]],
) -> _Result:
    """Runs ``work`` in the transaction of the given session; without one, in a new transaction.

    The driver runs a new transaction again as a whole when it meets a conflict or a failover: ``work`` may run more than once.

    Raises:
        Fault: ``write-concern`` if the caller's transaction could be rolled back after its commit.
    """
    if session is not None and session.in_transaction:
        require_transaction(session)
        return await work(session)
    if session is not None:
        return await _run(session, work)
    async with client.start_session() as own:
        return await _run(own, work)


async def _run(session: AsyncClientSession, work: Callable[[AsyncClientSession], Awaitable[_Result]]) -> _Result:
    return await session.with_transaction(
        work,
        read_concern=ReadConcern("snapshot"),
        write_concern=WriteConcern("majority"),
        read_preference=ReadPreference.PRIMARY,
    )
