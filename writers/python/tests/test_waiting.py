"""What a wait concludes from the outbox."""

from __future__ import annotations

import pytest
from bson.objectid import ObjectId
from pymongo.errors import OperationFailure

from outgraph_writer import Fault
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
