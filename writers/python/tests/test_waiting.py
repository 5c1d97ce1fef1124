"""What a wait concludes from the outbox."""

from __future__ import annotations

from typing import Any

import pytest
from bson.objectid import ObjectId
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from outgraph_writer import Fault, settled
from outgraph_writer.waiting import Waiting


def test_an_event_that_was_found_and_is_missing_later_was_applied_and_purged() -> None:
    found, unknown = ObjectId(), ObjectId()
    waiting = Waiting([found, unknown], 10)
    waiting.judge([found, unknown], [{"_id": found, "status": "pending"}])
    assert waiting.open == {found, unknown}
    waiting.judge([found, unknown], [])
    assert waiting.open == {unknown}


def test_a_user_who_may_not_read_the_outbox_is_told_the_role() -> None:
    with pytest.raises(Fault, match='the part "await"') as raised:
        Waiting([ObjectId()], 10).failed(OperationFailure("not authorized on crm to execute command", 13))
    assert raised.value.code == "permission-denied"


def test_asks_every_ten_milliseconds_and_after_a_second_every_hundred() -> None:
    waiting = Waiting([ObjectId()], 10)
    assert waiting.pause() == 0.01
    waiting._started -= 1  # type: ignore[misc]
    assert waiting.pause() == 0.1


# With the blocking client alone: PyMongo's async client leaves a refused connection to the garbage collector.
def test_raises_not_settled_while_the_server_is_away() -> None:
    client = MongoClient[dict[str, Any]]("mongodb://127.0.0.1:1")
    with pytest.raises(Fault, match=r"MongoDB did not answer\.") as raised:
        settled(client["away"], [ObjectId()], timeout=0.2)
    client.close()
    assert raised.value.code == "not-settled"
    assert isinstance(raised.value.__cause__, PyMongoError)
