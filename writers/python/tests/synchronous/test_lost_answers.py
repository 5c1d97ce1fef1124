# Made by tools/synchronous.py from tests/asynchronous/test_lost_answers.py: change that one.
"""A writer whose connection ends in the middle of a transaction, as when a primary dies: PyMongo begins again or sends the commit again, and everything is there once."""

from __future__ import annotations

from typing import Final

import pytest
from cutting_proxy import CuttingProxy, Where
from pymongo import MongoClient
from pymongo.synchronous.database import Database
from support import Document

from outgraph_writer import Aggregate
from outgraph_writer.synchronous import track_collection

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
def test_writes_its_document_and_its_event_once_when_the_connection_ends(
    at: bytes, before: Where, client: MongoClient[Document], db: Database[Document]
) -> None:
    client.admin.command("ping")
    primary = client.primary
    assert primary is not None
    with CuttingProxy(primary) as proxy:
        with MongoClient[Document](proxy.uri) as cut:
            proxy.cut_once(at, before)
            track_collection(cut[db.name], Aggregate(type="note", collection="notes")).insert_one({"_id": "a"})
        assert proxy.cuts == 1
    assert [db.notes.count_documents({}), db.outbox.count_documents({"aggregateId": "a"})] == [1, 1]
