"""Writers that wait until their events are applied. The tests play the consumer."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Final

import pytest
from asynchronous.stored import Stored
from bson.objectid import ObjectId
from consumer import consuming
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from support import Document

from outgraph_writer import Aggregate, Change, Fault, collect_event_ids
from outgraph_writer.asynchronous import record_event, record_events, settled, track_collection
from outgraph_writer.asynchronous.transaction import in_transaction

NOTE: Final = Aggregate(type="note", collection="notes", fields=["n"])


async def test_returns_when_the_events_of_every_verb_are_applied(db: AsyncDatabase[Document], stored: Stored) -> None:
    notes = track_collection(db, NOTE)
    with consuming(db.name):
        with collect_event_ids() as event_ids:
            await notes.insert_one({"_id": "a"})
            await notes.insert_many([{"_id": "b"}, {"_id": "c"}])
            await notes.update_one({"_id": "a"}, {"$set": {"n": 1}})
            await notes.replace_one({"_id": "b"}, {"n": 1})
            await notes.find_one_and_update({"_id": "c"}, {"$set": {"n": 1}})
            await notes.update_many({}, {"$set": {"n": 2}})
            await notes.delete_one({"_id": "a"})
            await notes.delete_many({})
        await settled(db, event_ids, timeout=60)
    events = await stored.events()
    assert event_ids == [event["_id"] for event in events]
    assert [event["status"] for event in events] == ["processed"] * 12


async def test_recorded_events_have_ids_to_wait_for(db: AsyncDatabase[Document], stored: Stored) -> None:
    async def record(own: AsyncClientSession) -> list[ObjectId]:
        first = await record_event(own, db, NOTE, Change.delete("a"))
        return [first, *await record_events(own, db, NOTE, [Change.delete("b"), Change.delete("c")])]

    event_ids = await in_transaction(db.client, None, record)
    assert event_ids == [event["_id"] for event in await stored.events()]
    with consuming(db.name):
        await settled(db, event_ids, timeout=60)


async def test_a_block_collects_only_what_was_committed(db: AsyncDatabase[Document], stored: Stored) -> None:
    attempts: list[ObjectId] = []

    async def record(own: AsyncClientSession) -> None:
        attempts.append(await record_event(own, db, NOTE, Change.delete("a")))
        if len(attempts) == 1:
            conflict = PyMongoError("a conflict")
            conflict._add_error_label("TransientTransactionError")
            raise conflict

    with collect_event_ids() as event_ids:
        await in_transaction(db.client, None, record)
        with pytest.raises(Fault, match="aggregateId"):
            await track_collection(db, NOTE).insert_one({"_id": None})
    assert (len(attempts), event_ids) == (2, attempts[1:])
    assert event_ids == [event["_id"] for event in await stored.events()]


async def test_a_block_contains_the_ids_of_the_blocks_in_it(db: AsyncDatabase[Document]) -> None:
    notes = track_collection(db, NOTE)
    with collect_event_ids() as outer:
        await notes.insert_one({"_id": "a"})
        with collect_event_ids() as inner:
            await notes.insert_one({"_id": "b"})
    await notes.insert_one({"_id": "c"})
    assert (len(outer), len(inner), outer[1:]) == (2, 1, inner)


async def test_a_write_without_an_event_is_settled_at_once(db: AsyncDatabase[Document]) -> None:
    notes = track_collection(db, NOTE)
    await notes.insert_one({"_id": "a", "n": 1})
    with collect_event_ids() as event_ids:
        await notes.update_one({"_id": "a"}, {"$set": {"n": 1, "seen": 1}})
        await notes.delete_many({"_id": "nobody"})
    await settled(db, event_ids, timeout=0)


async def test_raises_the_code_of_a_dead_event(db: AsyncDatabase[Document]) -> None:
    with collect_event_ids() as event_ids:
        await track_collection(db, NOTE).insert_one({"_id": "a"})
    error = {"code": "label-not-declared", "message": "Note: has no constraint"}
    dead = {"status": "dead", "deadAt": datetime.now(timezone.utc), "error": error}
    await db.outbox.update_one({}, {"$set": dead})
    with pytest.raises(Fault, match=f"{event_ids[0]} is dead: Note: has no constraint") as raised:
        await settled(db, event_ids)
    assert raised.value.code == "label-not-declared"


async def test_raises_not_settled_when_the_time_is_up_and_says_what_to_check(db: AsyncDatabase[Document]) -> None:
    with collect_event_ids() as event_ids:
        await track_collection(db, NOTE).insert_one({"_id": "a"})
    with pytest.raises(Fault, match=r"1 events .* within 0\.05 s\. Is the consumer running\?") as pending:
        await settled(db, event_ids, timeout=0.05)
    with pytest.raises(Fault, match="1 of them are not in the outbox: wait after the commit") as unknown:
        await settled(db, [*event_ids, ObjectId()], timeout=0.05)
    assert (pending.value.code, unknown.value.code) == ("not-settled", "not-settled")
