"""The conformance cases of a tracked document, for aggregates of any package."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from asynchronous.stored import Stored
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import InvalidOperation
from support import Document, exactly

from outgraph_writer import Aggregate, Fault, document_id
from outgraph_writer.asynchronous import track_collection


async def commit_regardless(
    client: AsyncMongoClient[Document], work: Callable[[AsyncClientSession], Awaitable[Any]]
) -> bool:
    """Catches the error of the work and tries to commit. Returns whether the work raised."""
    async with client.start_session() as session:
        await session.start_transaction()
        with suppress(InvalidOperation):
            try:
                await work(session)
            except Fault:
                await session.commit_transaction()
                return True
            await session.commit_transaction()
            return False
    return True


async def expect_outcome(case: Document, aggregate: Aggregate, db: AsyncDatabase[Document]) -> None:
    """Inserts the document of a case. It is stored with its event, or refused, and then neither exists."""
    stored = Stored(db)
    assert (aggregate.type, aggregate.collection) == (case["aggregateType"], case["collection"])
    tracked = track_collection(db, aggregate)
    if "refused" in case:
        with pytest.raises(Fault) as refused:
            await tracked.insert_one(case["document"])
        assert refused.value.code == case["refused"]
        assert case["at"] in refused.value.message
        assert await commit_regardless(db.client, lambda own: tracked.insert_one(case["document"], session=own))
        assert [await stored.documents(aggregate.collection), await stored.events()] == [[], []]
    else:
        await tracked.insert_one(case["document"])
        assert list(map(exactly, await stored.documents(aggregate.collection))) == [exactly(case["document"])]
        (event,) = await stored.events()
        assert (event["aggregateType"], event["operation"]) == (aggregate.type, "upsert")
        assert event["aggregateId"] == document_id(case["document"])
        assert exactly(event["payload"]) == exactly(case["document"])
