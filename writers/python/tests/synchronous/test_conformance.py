# Made by tools/synchronous.py from tests/asynchronous/test_conformance.py: change that one.
"""The library against the tables that every writer library must pass (``test/conformance``)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import pytest
from bson.objectid import ObjectId
from bson.timestamp import Timestamp
from pymongo import MongoClient, ReturnDocument
from pymongo.errors import PyMongoError
from pymongo.synchronous.client_session import ClientSession
from pymongo.synchronous.database import Database
from pymongo.write_concern import WriteConcern
from support import Document, by_aggregate, each_case, exactly, refusal_of
from synchronous.outcomes import commit_regardless, expect_outcome
from synchronous.stored import Stored

from outgraph_writer import Aggregate, Change, Fault, graph
from outgraph_writer.synchronous import TrackedCollection, record_event, track_collection

NOTE: Final = Aggregate(type="note", collection="notes")


@each_case("documents")
def test_a_tracked_document(case: Document, db: Database[Document]) -> None:
    expect_outcome(case, graph, db)


@each_case("events")
def test_a_recorded_event(
    case: Document, client: MongoClient[Document], db: Database[Document], stored: Stored
) -> None:
    change = case["change"]

    def record(session: ClientSession) -> None:
        aggregate = Aggregate(type=change["aggregateType"], collection="notes")
        db.conformance_notes.insert_one({"_id": "document"}, session=session)
        made = Change(change["operation"], change["aggregateId"], change.get("payload"))
        record_event(session, db, aggregate, made, traceparent=case.get("traceparent"))

    with client.start_session() as session:
        if "refused" in case:
            with pytest.raises(Fault) as refused:
                session.with_transaction(record)
            assert refused.value.code == case["refused"]
            assert case["at"] in refused.value.message
            assert commit_regardless(client, record)
            assert [stored.documents("conformance_notes"), stored.events()] == [[], []]
            return
        session.with_transaction(record)
    (event,) = stored.events()
    assert isinstance(event.pop("_id"), ObjectId)
    assert isinstance(event.pop("createdAt"), datetime)
    assert event.pop("position") > Timestamp(1, 0), "the server has filled in the position"
    assert exactly(event.pop("payload", None)) == exactly(change.get("payload"))
    named = {field: value for field, value in change.items() if field != "payload"}
    assert event == {**named, "status": "pending", "attempts": 0, **case.get("event", {})}
    assert len(stored.documents("conformance_notes")) == 1


@each_case("validator")
def test_the_validator_for_an_event_inserted_past_every_library(
    case: Document, client: MongoClient[Document], db: Database[Document], stored: Stored
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

    def insert(session: ClientSession) -> None:
        db.conformance_notes.insert_one({"_id": "document"}, session=session)
        db.outbox.insert_one(event, session=session)

    outcome = None
    with client.start_session() as session:
        try:
            session.with_transaction(insert)
        except (Fault, PyMongoError) as error:
            outcome = refusal_of(error)
    assert outcome == case.get("refused")
    count = 0 if outcome else 1
    assert [len(stored.documents("conformance_notes")), len(stored.events())] == [count, count]


@each_case("verbs")
def test_a_verb_of_a_tracked_collection(
    case: Document, client: MongoClient[Document], db: Database[Document], stored: Stored
) -> None:
    if index := case.get("index"):
        db.notes.create_index(index["key"], name=index["name"], sparse=index["sparse"])
    if case["before"]:
        db.notes.insert_many(case["before"])
    notes = track_collection(db, named_by(case.get("aggregateId")))
    outcome = None

    def run(session: ClientSession) -> None:
        for call in case["calls"]:
            make_call(notes, call, session)

    try:
        if case.get("caught"):
            assert commit_regardless(client, run)
        elif case.get("together"):
            with client.start_session() as session:
                session.start_transaction()
                run(session)
                (session.abort_transaction() if case.get("abort") else session.commit_transaction())
        else:
            for call in case["calls"]:
                make_call(notes, call, None)
    except (Fault, PyMongoError) as error:
        outcome = refusal_of(error)
    if index:
        db.notes.drop_index(index["name"])
    assert outcome == case.get("refused")
    after = sorted(map(exactly, case["after"]), key=str)
    assert sorted(map(exactly, stored.documents("notes")), key=str) == after
    assert by_aggregate(stored.events()) == by_aggregate(case["events"])


def named_by(field: str | None) -> Aggregate:
    """The aggregate whose id is in this field; None: ``_id``."""
    return NOTE if field is None else Aggregate(type="note", collection="notes", id=lambda note: str(note[field]))


REFUSED: Final = {
    "bulkWrite": "bulk_write",
    "findOneAndReplace": "find_one_and_replace",
    "findOneAndDelete": "find_one_and_delete",
    "drop": "drop",
    "rename": "rename",
}


WITH_FILTER: Final = {
    "updateOne": "update_one",
    "updateMany": "update_many",
    "replaceOne": "replace_one",
    "findOneAndUpdate": "find_one_and_update",
    "deleteOne": "delete_one",
    "deleteMany": "delete_many",
}


def call_with_collation(notes: TrackedCollection[Document], call: Document) -> None:
    """An argument that a verb does not have is refused as well as one that it refuses."""
    verb: Callable[..., Any] = getattr(notes, WITH_FILTER[call["verb"]])
    arguments = [call[name] for name in ("filter", "update", "replacement") if name in call]
    try:
        verb(*arguments, collation=call["collation"])
    except TypeError as error:
        raise Fault("untracked", str(error)) from error


def make_call(notes: TrackedCollection[Document], call: Document, session: ClientSession | None) -> None:
    filter, update, upsert = call.get("filter", {}), call.get("update", {}), call.get("upsert", False)
    if "collation" in call:
        call_with_collation(notes, call)
        return
    which = {name: call[name] for name in ("hint", "let") if name in call}
    match call["verb"]:
        case "insertOne":
            notes.insert_one(call["document"], session=session)
        case "insertMany":
            notes.insert_many(call["documents"], session=session)
        case "updateOne":
            notes.update_one(filter, update, upsert, session=session, **which)
        case "updateMany":
            notes.update_many(filter, update, upsert, session=session, **which)
        case "replaceOne":
            notes.replace_one(filter, call["replacement"], upsert, session=session, **which)
        case "findOneAndUpdate":
            image = ReturnDocument.AFTER if call.get("returnDocument") == "after" else ReturnDocument.BEFORE
            answer = notes.find_one_and_update(
                filter, update, upsert=upsert, return_document=image, session=session, **which
            )
            assert exactly(answer) == exactly(call["returns"])
        case "deleteOne":
            notes.delete_one(filter, session=session, **which)
        case "deleteMany":
            notes.delete_many(filter, session=session, **which)
        case "aggregate":
            notes.aggregate(call["pipeline"], session=session)
        case verb:
            refused: Callable[[], Any] = getattr(notes, REFUSED[verb])
            refused()


@each_case("sessions")
def test_recording_an_event(
    case: Document, client: MongoClient[Document], db: Database[Document], stored: Stored
) -> None:
    with client.start_session() as session:
        if case["session"] in ("transaction", "w1"):
            concern = WriteConcern(w=1) if case["session"] == "w1" else None
            session.start_transaction(write_concern=concern)
        given: Any = None if case["session"] == "none" else session
        if "refused" in case:
            with pytest.raises(Fault) as refused:
                record_event(given, db, NOTE, Change.delete("a"))
            assert refused.value.code == case["refused"]
        else:
            record_event(given, db, NOTE, Change.delete("a"))
            session.commit_transaction()
    assert len(stored.events()) == (0 if "refused" in case else 1)
