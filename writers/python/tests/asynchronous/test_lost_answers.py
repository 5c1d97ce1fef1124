"""A connection that closes in the middle of a transaction, as when a primary dies.

PyMongo retries the transaction or the commit, and the document and its event exist once.
"""

from __future__ import annotations

from typing import Final

import pytest
from cutting_proxy import CuttingProxy, Where
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from support import Document

from outgraph_writer import Aggregate
from outgraph_writer.asynchronous import track_collection

INSERT_OF_THE_EVENT: Final = b"\x02insert\0\x07\0\0\0outbox\0"
COMMIT: Final = b"commitTransaction"


@pytest.mark.parametrize(
    ("at", "before"),
    [
        pytest.param(INSERT_OF_THE_EVENT, "request", id="before the event was inserted"),
        pytest.param(INSERT_OF_THE_EVENT, "reply", id="after the event was inserted"),
        pytest.param(COMMIT, "request", id="before the commit"),
        pytest.param(COMMIT, "reply", id="after the commit, before its answer"),
    ],
)
async def test_writes_its_document_and_its_event_once_when_the_connection_ends(
    at: bytes, before: Where, client: AsyncMongoClient[Document], db: AsyncDatabase[Document]
) -> None:
    await client.admin.command("ping")
    primary = await client.primary
    assert primary is not None
    with CuttingProxy(primary) as proxy:
        async with AsyncMongoClient[Document](proxy.uri) as cut:
            proxy.cut_once(at, before)
            await track_collection(cut[db.name], Aggregate(type="note", collection="notes")).insert_one({"_id": "a"})
        assert proxy.cuts == 1
    assert [await db.notes.count_documents({}), await db.outbox.count_documents({"aggregateId": "a"})] == [1, 1]
