"""The library against the tables that every writer library must pass (``test/conformance``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import pytest
from asynchronous.outcomes import commit_regardless, expect_outcome
from asynchronous.stored import Stored
from bson.objectid import ObjectId
from bson.timestamp import Timestamp
from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern
from support import Document, by_aggregate, each_case, exactly, operations_of, refusal_of

from outgraph_writer import Aggregate, Change, Fault, graph
from outgraph_writer.asynchronous import AsyncTrackedCollection, record_event, track_collection

NOTE: Final = Aggregate(type="note", collection="notes")


@each_case("documents")
async def test_a_tracked_document(case: Document, db: AsyncDatabase[Document]) -> None:
    await expect_outcome(case, graph, db)


@each_case("events")
async def test_a_recorded_event(
    case: Document, client: AsyncMongoClient[Document], db: AsyncDatabase[Document], stored: Stored
) -> None:
    change = case["change"]

    async def record(session: AsyncClientSession) -> None:
        aggregate = Aggregate(type=change["aggregateType"], collection="notes")
        await db.conformance_notes.insert_one({"_id": "document"}, session=session)
        made = Change(change["operation"], change["aggregateId"], change.get("payload"))
        await record_event(session, db, aggregate, made, traceparent=case.get("traceparent"))

    async with client.start_session() as session:
        if "refused" in case:
            with pytest.raises(Fault) as refused:
                await session.with_transaction(record)
            assert refused.value.code == case["refused"]
            assert case["at"] in refused.value.message
            assert await commit_regardless(client, record)
            assert [await stored.documents("conformance_notes"), await stored.events()] == [[], []]
            return
        await session.with_transaction(record)
    (event,) = await stored.events()
    assert isinstance(event.pop("_id"), ObjectId)
    assert isinstance(event.pop("createdAt"), datetime)
    assert event.pop("position") > Timestamp(1, 0), "the server has filled in the position"
    assert exactly(event.pop("payload", None)) == exactly(change.get("payload"))
    named = {field: value for field, value in change.items() if field != "payload"}
    assert event == {**named, "status": "pending", "attempts": 0, **case.get("event", {})}
    assert len(await stored.documents("conformance_notes")) == 1


@each_case("validator")
async def test_the_validator_for_an_event_inserted_without_a_library(
    case: Document, client: AsyncMongoClient[Document], db: AsyncDatabase[Document], stored: Stored
) -> None:
    event: Document = {
        "_id": ObjectId(),
        "aggregateType": "note",
        "aggregateId": "a",
        "operation": "upsert",
        "payload": {},
        "position": Timestamp(0, 0),
        "createdAt": datetime(2026, 1, 1),
        "status": "pending",
        "attempts": 0,
        **case["set"],
    }
    for field in case.get("unset", []):
        del event[field]

    async def insert(session: AsyncClientSession) -> None:
        await db.conformance_notes.insert_one({"_id": "document"}, session=session)
        await db.outbox.insert_one(event, session=session)

    outcome = None
    async with client.start_session() as session:
        try:
            await session.with_transaction(insert)
        except (Fault, PyMongoError) as error:
            outcome = refusal_of(error)
    assert outcome == case.get("refused")
    count = 0 if outcome else 1
    assert [len(await stored.documents("conformance_notes")), len(await stored.events())] == [count, count]


@each_case("verbs")
async def test_a_verb_of_a_tracked_collection(
    case: Document, client: AsyncMongoClient[Document], db: AsyncDatabase[Document], stored: Stored
) -> None:
    if index := case.get("index"):
        await db.notes.create_index(index["key"], name=index["name"], sparse=index["sparse"])
    if case["before"]:
        await db.notes.insert_many(case["before"])
    notes = track_collection(db, declared(case.get("aggregateId"), case.get("reads")))
    outcome = None

    async def run(session: AsyncClientSession) -> None:
        for call in case["calls"]:
            await make_call(notes, call, session)

    try:
        if case.get("caught"):
            assert await commit_regardless(client, run)
        elif case.get("together"):
            async with client.start_session() as session:
                await session.start_transaction()
                await run(session)
                await (session.abort_transaction() if case.get("abort") else session.commit_transaction())
        else:
            for call in case["calls"]:
                await make_call(notes, call, None)
    except (Fault, PyMongoError, ValueError) as error:
        outcome = refusal_of(error)
    if index:
        await db.notes.drop_index(index["name"])
    assert outcome == case.get("refused")
    after = sorted(map(exactly, case["after"]), key=str)
    assert sorted(map(exactly, await stored.documents("notes")), key=str) == after
    assert by_aggregate(await stored.events()) == by_aggregate(case["events"])


def declared(id_field: str | None, fields: list[str] | None) -> Aggregate:
    """The aggregate whose id is this field, or ``_id`` for None, and whose projection reads these fields."""
    note = replace(NOTE, fields=fields)
    return note if id_field is None else replace(note, id=lambda document: str(document[id_field]))


VERBS: Final = {
    "insertOne": "insert_one",
    "insertMany": "insert_many",
    "updateOne": "update_one",
    "updateMany": "update_many",
    "replaceOne": "replace_one",
    "findOneAndUpdate": "find_one_and_update",
    "findOneAndReplace": "find_one_and_replace",
    "findOneAndDelete": "find_one_and_delete",
    "deleteOne": "delete_one",
    "deleteMany": "delete_many",
    "bulkWrite": "bulk_write",
    "aggregate": "aggregate",
    "drop": "drop",
    "rename": "rename",
}
ARGUMENTS: Final = ("document", "documents", "filter", "update", "replacement", "pipeline")
OPTIONS: Final = {
    "hint": "hint",
    "let": "let",
    "upsert": "upsert",
    "collation": "collation",
    "projection": "projection",
    "sort": "sort",
    "ordered": "ordered",
    "chunkSize": "chunk_size",
    "recordUnchanged": "record_unchanged",
}


async def make_call(
    notes: AsyncTrackedCollection[Document], call: Document, session: AsyncClientSession | None
) -> None:
    verb: Callable[..., Any] = getattr(notes, VERBS[call["verb"]])
    arguments = [call[name] for name in ARGUMENTS if name in call]
    if "operations" in call:
        arguments = [operations_of(call["operations"])]
    options = {argument: call[name] for name, argument in OPTIONS.items() if name in call}
    if call.get("returnDocument") == "after":
        options["return_document"] = ReturnDocument.AFTER
    try:
        result = await verb(*arguments, session=session, **options)
    except TypeError as error:
        # Treats an argument that the verb does not have as refused.
        if "collation" not in call:
            raise
        raise Fault("untracked", str(error)) from error
    if "returns" in call:
        assert exactly(result) == exactly(call["returns"])
    for name, count in call.get("result", {}).items():
        assert getattr(result, name.replace("Count", "_count")) == count, name


@each_case("sessions")
async def test_recording_an_event(
    case: Document, client: AsyncMongoClient[Document], db: AsyncDatabase[Document], stored: Stored
) -> None:
    async with client.start_session() as session:
        if case["session"] in ("transaction", "w1"):
            concern = WriteConcern(w=1) if case["session"] == "w1" else None
            await session.start_transaction(write_concern=concern)
        given: Any = None if case["session"] == "none" else session
        if "refused" in case:
            with pytest.raises(Fault) as refused:
                await record_event(given, db, NOTE, Change.delete("a"))
            assert refused.value.code == case["refused"]
        else:
            await record_event(given, db, NOTE, Change.delete("a"))
            await session.commit_transaction()
    assert len(await stored.events()) == (0 if "refused" in case else 1)
