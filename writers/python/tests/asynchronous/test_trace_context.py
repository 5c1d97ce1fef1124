"""Events carry the trace context of the change that made them, with every verb."""

from __future__ import annotations

from typing import Any, Final

import pytest
from asynchronous.stored import Stored
from opentelemetry import trace
from pymongo.asynchronous.database import AsyncDatabase
from support import Document

from outgraph_writer import Aggregate
from outgraph_writer.asynchronous import track_collection

SPAN: Final = trace.NonRecordingSpan(
    trace.SpanContext(
        trace_id=0x4BF92F3577B34DA6A3CE929D0E0E4736,
        span_id=0x00F067AA0BA902B7,
        is_remote=False,
        trace_flags=trace.TraceFlags(1),
    )
)
ACTIVE: Final = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
GIVEN: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"

ARGUMENTS: Final[dict[str, tuple[Any, ...]]] = {
    "insert_one": ({"_id": "b"},),
    "insert_many": ([{"_id": "b"}],),
    "update_one": ({}, {"$set": {"n": 1}}),
    "update_many": ({}, {"$set": {"n": 1}}),
    "replace_one": ({}, {"n": 1}),
    "find_one_and_update": ({}, {"$set": {"n": 1}}),
    "delete_one": ({},),
    "delete_many": ({},),
}


@pytest.mark.parametrize("verb", ARGUMENTS)
@pytest.mark.parametrize(
    ("given", "active", "expected"),
    [
        pytest.param(None, False, None, id="none"),
        pytest.param(None, True, ACTIVE, id="the active span"),
        pytest.param(GIVEN, True, GIVEN, id="the one that is given"),
        pytest.param("not-a-trace", True, ACTIVE, id="the active span where the given one is malformed"),
        pytest.param("not-a-trace", False, None, id="none where the given one is malformed"),
    ],
)
async def test_records_of_the_verb(
    verb: str, given: str | None, active: bool, expected: str | None, db: AsyncDatabase[Document], stored: Stored
) -> None:
    await db.notes.insert_one({"_id": "a"})
    notes = track_collection(db, Aggregate(type="note", collection="notes"))
    with trace.use_span(SPAN if active else trace.INVALID_SPAN):
        await getattr(notes, verb)(*ARGUMENTS[verb], traceparent=given)
    assert [event.get("traceparent") for event in await stored.events()] == [expected]
