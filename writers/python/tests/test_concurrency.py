"""Concurrent writers of one document, in threads and in tasks.

The positions of the events are in the order of the document's states.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.synchronous.database import Database
from support import Document, mongodb_uri, new_database_name, outbox_options

from outgraph_writer import Aggregate, asynchronous, track_collection

COUNTER: Final = Aggregate(type="counter", collection="counters")
WRITERS: Final = 4
WRITES: Final = 5
INCREMENT: Final[tuple[Document, Document]] = ({"_id": "a"}, {"$inc": {"n": 1}})


@pytest.fixture
def db() -> Iterator[Database[Document]]:
    with MongoClient[Document](mongodb_uri()) as client:
        made = client[new_database_name()]
        made.create_collection("outbox", **outbox_options())
        made.counters.insert_one({"_id": "a", "n": 0})
        yield made
        client.drop_database(made)


def states(db: Database[Document]) -> list[Any]:
    return [event["payload"]["n"] for event in db.outbox.find({}, sort=[("position", 1)])]


def test_of_threads(db: Database[Document]) -> None:
    counters = track_collection(db, COUNTER)

    def write(_: int) -> None:
        for _ in range(WRITES):
            counters.update_one(*INCREMENT)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    assert states(db) == list(range(1, WRITERS * WRITES + 1))


async def test_of_tasks(db: Database[Document]) -> None:
    async with AsyncMongoClient[Document](mongodb_uri()) as client:
        counters = asynchronous.track_collection(client[db.name], COUNTER)

        async def write() -> None:
            for _ in range(WRITES):
                await counters.update_one(*INCREMENT)

        await asyncio.gather(*(write() for _ in range(WRITERS)))
    assert states(db) == list(range(1, WRITERS * WRITES + 1))


async def test_a_task_that_is_cancelled_leaves_nothing(db: Database[Document]) -> None:
    async with AsyncMongoClient[Document](mongodb_uri()) as client:
        counters = asynchronous.track_collection(client[db.name], COUNTER)
        reached: asyncio.Event = asyncio.Event()

        async def write() -> None:
            async with client.start_session() as session, await session.start_transaction():
                await counters.update_one(*INCREMENT, session=session)
                reached.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(write())
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await counters.update_one(*INCREMENT)
    assert states(db) == [1]
