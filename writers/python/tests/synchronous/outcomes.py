# Made by tools/synchronous.py from tests/asynchronous/outcomes.py: change that one.
"""What the conformance tables say of a tracked document, for aggregates of any package."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import InvalidOperation
from pymongo.synchronous.client_session import ClientSession
from pymongo.synchronous.database import Database
from support import Document, exactly
from synchronous.stored import Stored

from outgraph_writer import Aggregate, Fault, document_id
from outgraph_writer.synchronous import track_collection


def commit_regardless(client: MongoClient[Document], work: Callable[[ClientSession], Any]) -> bool:
    """Catches what the work raises, and commits all the same, if it can be; returns whether the work raised."""
    with client.start_session() as session:
        session.start_transaction()
        with suppress(InvalidOperation):
            try:
                work(session)
            except Fault:
                session.commit_transaction()
                return True
            session.commit_transaction()
            return False
    return True


def expect_outcome(case: Document, aggregate: Aggregate, db: Database[Document]) -> None:
    """Inserts the document of a case, which then stands with its event, or is refused and leaves nothing."""
    stored = Stored(db)
    assert (aggregate.type, aggregate.collection) == (case["aggregateType"], case["collection"])
    tracked = track_collection(db, aggregate)
    if "refused" in case:
        with pytest.raises(Fault) as refused:
            tracked.insert_one(case["document"])
        assert refused.value.code == case["refused"]
        assert case["at"] in refused.value.message
        assert commit_regardless(db.client, lambda own: tracked.insert_one(case["document"], session=own))
        assert [stored.documents(aggregate.collection), stored.events()] == [[], []]
    else:
        tracked.insert_one(case["document"])
        assert list(map(exactly, stored.documents(aggregate.collection))) == [exactly(case["document"])]
        (event,) = stored.events()
        assert (event["aggregateType"], event["operation"]) == (aggregate.type, "upsert")
        assert event["aggregateId"] == document_id(case["document"])
        assert exactly(event["payload"]) == exactly(case["document"])
