# Made by tools/synchronous.py from tests/asynchronous/test_tracked_collection.py: change that one.
"""What a tracked collection does beyond the conformance tables: what it records byte for byte, what it takes of PyMongo's arguments, whose transaction it is in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, Final
from uuid import UUID

import bson
import pytest
from bson.binary import Binary, UuidRepresentation
from bson.code import Code
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS
from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.raw_bson import RawBSONDocument
from bson.regex import Regex
from bson.timestamp import Timestamp
from pymongo import MongoClient, ReturnDocument
from pymongo.errors import InvalidOperation
from pymongo.synchronous.client_session import ClientSession
from pymongo.synchronous.database import Database
from pymongo.write_concern import WriteConcern
from support import Document, exactly, mongodb_uri
from synchronous.stored import Stored

from outgraph_writer import Aggregate, Change, Fault, Problem
from outgraph_writer.synchronous import record_event, track_collection
from outgraph_writer.tracking import CHUNK_DOCUMENTS

NOTE: Final = Aggregate(type="note", collection="notes")


def recorded(stored: Stored) -> list[str]:
    """The operations and ids of all events, in their order."""
    return [f"{event['operation']} {event['aggregateId']}" for event in stored.events()]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"int": 1, "long": Int64(1), "double": 1.0, "large": 2**40}, id="numbers of every type"),
        pytest.param({"at": datetime(2026, 1, 1), "bytes": b"x", "text": Regex("a", "i")}, id="dates, bytes, expressions"),
        pytest.param({"stamp": Timestamp(0, 0)}, id="an empty timestamp, which the server fills in"),
        pytest.param({"nested": {"stamp": Timestamp(0, 0)}}, id="an empty timestamp inside, which stays"),
        pytest.param({"uuid": Binary(b"x", 4)}, id="a UUID that is none"),
        pytest.param({"date": RawBSONDocument(b"\x10\0\0\0\x09d\0\xff\xff\xff\xff\xff\xff\xff\x7f\0")}, id="a date beyond Python's"),
        pytest.param({"symbol": RawBSONDocument(b"\x10\0\0\0\x0ed\0\x04\0\0\0abc\0\0")}, id="a type that Python does not have"),
    ],
)  # fmt: skip
def test_records_exactly_what_is_stored(fields: Document, db: Database[Document], stored: Stored) -> None:
    notes = track_collection(db, NOTE)
    notes.insert_one({"z": 1, "_id": "a", **fields})
    notes.insert_many([{"z": 1, "_id": "b", **fields}])
    notes.update_many({}, {"$set": {"more": 1}})
    updated = [exactly(event["payload"]) for event in (stored.events())[2:]]
    assert updated == list(map(exactly, stored.documents("notes")))
    db.notes.delete_many({})
    notes.insert_one({"z": 1, "_id": "c", **fields})
    assert exactly((stored.events())[-1]["payload"]) == exactly((stored.documents("notes"))[0])


def test_records_bytes_of_the_callers_own_as_the_server_puts_them_in_order(
    db: Database[Document], stored: Stored
) -> None:
    sent = RawBSONDocument(bytes(bson.encode({"z": 1, "id_": "a"})).replace(b"id_", b"_id"))
    assert list(sent) == ["z", "_id"]
    notes: Any = track_collection(db, NOTE)
    notes.insert_one(sent)
    assert [list(event["payload"]) for event in stored.events()] == [["_id", "z"]]


def test_update_many_with_the_positional_operator_changes_what_the_filter_matched(
    db: Database[Document], stored: Stored
) -> None:
    db.notes.insert_many([{"_id": _id, "l": [1, 2]} for _id in ("a", "b")])
    track_collection(db, NOTE).update_many({"l": 2}, {"$set": {"l.$": 3}})
    assert [event["payload"]["l"] for event in stored.events()] == [[1, 3], [1, 3]]


def test_gives_a_document_its_id_as_the_driver_does(db: Database[Document], stored: Stored) -> None:
    notes = track_collection(db, NOTE)
    one: Document = {"text": "one"}
    many: list[Document] = [{"text": "two"}, {"text": "three"}]
    ids = [(notes.insert_one(one)).inserted_id, *(notes.insert_many(iter(many))).inserted_ids]
    assert ids == [document["_id"] for document in (one, *many)]
    assert recorded(stored) == [f"upsert {_id}" for _id in ids]


def test_reads_and_answers_as_the_program_has_set_its_client(
    client: MongoClient[Document], db: Database[Document], stored: Stored
) -> None:
    options = CodecOptions[Document](tz_aware=True, uuid_representation=UuidRepresentation.STANDARD)
    notes = track_collection(client.get_database(db.name, codec_options=options), NOTE)
    uuid = UUID("01234567-89ab-4def-8123-456789abcdef")
    at = datetime(2026, 1, 1, tzinfo=timezone.utc)
    notes.insert_one({"_id": uuid, "at": at})
    answer = notes.find_one_and_update({"_id": uuid}, {"$set": {"friend": uuid}}, return_document=True)
    assert answer == {"_id": uuid, "at": at, "friend": uuid}
    assert answer == notes.find_one({"_id": uuid})
    assert recorded(stored) == [f"upsert {uuid}"] * 2


def test_more_documents_than_are_read_at_a_time(db: Database[Document], stored: Stored) -> None:
    notes = track_collection(db, NOTE)
    count = 2 * CHUNK_DOCUMENTS + 1
    notes.insert_many([{"_id": index, "n": 0} for index in range(count)])
    updated = notes.update_many({"n": 0}, {"$set": {"n": 1}})
    deleted = notes.delete_many({})
    assert (updated.matched_count, updated.modified_count, updated.upserted_id) == (count, count, None)
    assert deleted.deleted_count == count
    ids = [str(index) for index in range(count)]
    expected = [f"{operation} {_id}" for operation in ("upsert", "upsert", "delete") for _id in ids]
    assert recorded(stored) == expected


def test_a_write_that_moves_aggregate_ids_between_documents_is_refused_as_a_whole(
    db: Database[Document], stored: Stored
) -> None:
    seats = track_collection(db, Aggregate(type="seat", collection="seats", id=lambda seat: str(seat["slot"])))
    count = CHUNK_DOCUMENTS + 1
    db.seats.insert_many([{"_id": index, "slot": index} for index in range(count)])
    with pytest.raises(Fault, match="changes the aggregate id") as refused:
        seats.update_many({}, {"$inc": {"slot": 1}})
    assert refused.value.code == "event-invalid"
    assert [seat["slot"] for seat in stored.documents("seats")] == list(range(count))
    assert stored.events() == []


def test_a_refusal_that_is_caught_cannot_be_committed(
    client: MongoClient[Document], db: Database[Document], stored: Stored
) -> None:
    notes = track_collection(db, Aggregate(type="note", collection="notes", check=short))
    notes.insert_one({"_id": "a", "text": "one"})

    def catches(session: ClientSession) -> None:
        with pytest.raises(Fault, match="must be short"):
            notes.update_one({}, {"$set": {"text": "three"}}, session=session)
        db.notes.insert_one({"_id": "b"}, session=session)

    with client.start_session() as session:
        with pytest.raises(InvalidOperation, match=r"transaction was aborted.*must be short"):
            session.with_transaction(catches)
        session.with_transaction(lambda own: notes.update_one({}, {"$set": {"text": "two"}}, session=own))
    assert list(map(exactly, stored.documents("notes"))) == [exactly({"_id": "a", "text": "two"})]
    assert recorded(stored) == ["upsert a", "upsert a"]


def test_what_an_event_refuses_is_found_before_the_document_is_written(
    client: MongoClient[Document], db: Database[Document]
) -> None:
    notes = track_collection(db, Aggregate(type="note", collection="notes", check=short))
    with client.start_session() as session, session.start_transaction():
        with pytest.raises(Fault, match="must be short"):
            notes.insert_many([{"text": "one"}, {"text": "three"}], session=session)
        assert db.notes.count_documents({}, session=session) == 0
        session.abort_transaction()


def test_a_document_of_bytes_without_an_id_gets_one(db: Database[Document], stored: Stored) -> None:
    notes: Any = track_collection(db, NOTE)
    raw = RawBSONDocument(bson.encode({"n": 1, "list": [1]}))
    one = notes.insert_one(raw)
    many = notes.insert_many([raw, RawBSONDocument(bson.encode({}))])
    ids = [one.inserted_id, *many.inserted_ids]
    assert recorded(stored) == [f"upsert {_id}" for _id in ids]
    assert sorted(note["_id"] for note in stored.documents("notes")) == sorted(ids)
    assert [exactly(event["payload"]) for event in stored.events()] == [
        exactly(note) for note in stored.documents("notes")
    ]


def transact(client: MongoClient[Document], work: Callable[[ClientSession], None]) -> None:
    with client.start_session() as session:
        session.with_transaction(work)


def test_text_that_is_not_utf_8_is_refused(
    client: MongoClient[Document], db: Database[Document], stored: Stored
) -> None:
    good = bson.encode({"_id": "a", "list": [{"text": "@"}], "n": 1})
    notes: Any = track_collection(db, NOTE)
    for broken in (good.replace(b"@", b"\xff"), good.replace(b"text", b"te\xfft")):
        with pytest.raises(Fault, match="UTF-8") as refused:
            notes.insert_one(RawBSONDocument(broken))
        assert refused.value.code == "event-invalid"

        def record(session: ClientSession, payload: bytes = broken) -> None:
            record_event(session, db, NOTE, Change.upsert("a", RawBSONDocument(payload)))

        with pytest.raises(Fault, match="UTF-8"):
            transact(client, record)
        db.notes.insert_one(RawBSONDocument(broken))
        with pytest.raises(Fault, match="UTF-8"):
            notes.update_one({}, {"$inc": {"n": 1}})
        notes.delete_many({})
    with pytest.raises(Fault, match="UTF-8"):
        transact(client, lambda session: record_event(session, db, NOTE, Change.delete("\ud800")))
    assert stored.documents("notes") == []
    assert recorded(stored) == ["delete a", "delete a"]


def test_a_document_that_cannot_be_read_back_leaves_nothing(db: Database[Document], stored: Stored) -> None:
    broken = RawBSONDocument(bson.encode({"_id": "@", "name": "a", "n": 1}).replace(b"@", b"\xff"))
    db.notes.insert_one(broken)
    notes = track_collection(db, Aggregate(type="note", collection="notes", id=lambda note: str(note["name"])))
    with pytest.raises(Fault, match="1 documents, and 0 of them") as refused:
        notes.update_many({}, {"$set": {"n": 2}})
    assert refused.value.code == "untracked"
    for delete in (notes.delete_one, notes.delete_many):
        with pytest.raises(Fault, match="could be read"):
            delete({})
    assert list(map(exactly, stored.documents("notes"))) == [bytes(broken.raw)]
    assert recorded(stored) == []


def test_takes_the_arguments_of_the_driver(db: Database[Document], stored: Stored) -> None:
    notes = track_collection(db, NOTE)
    db.notes.create_index("n")
    db.notes.insert_many([{"_id": name, "n": n, "l": [1, 2]} for name, n in (("a", 1), ("b", 2), ("c", 3))])
    least: Mapping[str, Any] = {"$expr": {"$gte": ["$n", "$$least"]}}
    let = {"least": 2}
    notes.update_one({}, {"$set": {"l.$[two]": 0}}, array_filters=[{"two": 2}], sort=[("n", -1)], hint="n_1")
    notes.update_many(least, {"$inc": {"n": 10}}, let=let, comment="x", bypass_document_validation=True)
    notes.replace_one(least, {"n": 20}, let=let, sort={"n": -1})
    found = notes.find_one_and_update({}, {"$inc": {"n": 1}}, ["n"], sort=[("n", 1)], hint=[("n", 1)])
    assert found == {"_id": "a", "n": 1}
    assert (notes.delete_one(least, let={"least": 20})).deleted_count == 1
    assert (notes.delete_many(least, let=let, hint="n_1")).deleted_count == 2
    events = ["upsert c", "upsert b", "upsert c", "upsert c", "upsert a", "delete c", "delete a", "delete b"]
    assert sorted(recorded(stored)) == sorted(events)
    with pytest.raises(TypeError, match="collation"):
        notes.update_one({}, {"$set": {"n": 1}}, collation={"locale": "en"})  # type: ignore[call-arg]


@pytest.mark.parametrize("which", [ReturnDocument.BEFORE, ReturnDocument.AFTER])
def test_find_one_and_update_that_inserts_answers_as_the_driver_does(
    which: bool, db: Database[Document], stored: Stored
) -> None:
    arguments: Mapping[str, Any] = {"projection": {"_id": 0}, "upsert": True, "return_document": which}
    update = {"$set": {"n": 1}}
    answer = track_collection(db, NOTE).find_one_and_update({"_id": "a"}, update, **arguments)
    assert answer == db.others.find_one_and_update({"_id": "a"}, update, **arguments)
    assert recorded(stored) == ["upsert a"]


@pytest.mark.parametrize("_id", [1.5, {"a": 1}, None, True, datetime(2026, 1, 1), Code("x")])
def test_an_id_that_has_no_text_is_refused(_id: object, db: Database[Document], stored: Stored) -> None:
    with pytest.raises(Fault, match="declare the aggregate with an id function") as refused:
        track_collection(db, NOTE).insert_one({"_id": _id})
    assert refused.value.code == "event-invalid"
    assert [stored.documents("notes"), stored.events()] == [[], []]


@pytest.mark.parametrize("_id", [1.5, {"a": 1}, None, True, Binary(b"x"), UUID(int=1), DatetimeMS(-(2**60))])
def test_but_not_where_the_aggregate_says_what_it_is(
    _id: object, client: MongoClient[Document], db: Database[Document], stored: Stored
) -> None:
    options = CodecOptions[Document](
        uuid_representation=UuidRepresentation.PYTHON_LEGACY, datetime_conversion=DatetimeConversion.DATETIME_AUTO
    )
    notes = track_collection(
        client.get_database(db.name, codec_options=options),
        Aggregate(type="note", collection="notes", id=lambda note: str(note["name"])),
    )
    notes.insert_one({"_id": _id, "name": "a"})
    notes.update_one({}, {"$set": {"n": 1}})
    notes.update_many({}, {"$set": {"n": 2}})
    notes.delete_many({})
    notes.update_one({"_id": {"$eq": _id}}, {"$set": {"name": "b"}}, upsert=True)
    notes.delete_one({})
    assert recorded(stored) == ["upsert a", "upsert a", "upsert a", "delete a", "upsert b", "delete b"]


def test_reads_are_the_drivers_own(db: Database[Document]) -> None:
    notes = track_collection(db, NOTE)
    notes.insert_many([{"_id": index} for index in range(3)])
    assert [note["_id"] for note in notes.find({"_id": {"$gt": 0}}, sort=[("_id", -1)]).to_list()] == [2, 1]
    assert notes.find_one(0, ["_id"]) == {"_id": 0}
    assert notes.count_documents({}, limit=2) == 2
    assert (notes.aggregate([{"$count": "n"}])).to_list() == [{"n": 3}]


def test_a_refusal_says_what_to_use_instead(db: Database[Document]) -> None:
    with pytest.raises(Fault, match=r"bulk_write is not possible on a tracked collection.*use insert_many") as refused:
        track_collection(db, NOTE).bulk_write([])
    assert refused.value.code == "untracked"


def short(payload: Mapping[str, Any]) -> Iterable[Problem]:
    """A check: the text must be short."""
    if len(payload["text"]) > 3:
        yield "text", "must be short"


def test_what_the_check_refuses_leaves_nothing(db: Database[Document], stored: Stored) -> None:
    notes = track_collection(db, Aggregate(type="note", collection="notes", check=short))
    notes.insert_one({"_id": "a", "text": "one"})
    for update, code, message in (
        ({"$set": {"text": "three"}}, "payload-invalid", 'The payload is not a "note": payload.text: must be short.'),
        ({"$set": {"text": 5}}, "projection-failed", 'The check of "note" raised TypeError.'),
    ):
        with pytest.raises(Fault) as refused:
            notes.update_one({"_id": "a"}, update)
        assert (refused.value.code, refused.value.message) == (code, message)
    assert list(map(exactly, stored.documents("notes"))) == [exactly({"_id": "a", "text": "one"})]
    assert recorded(stored) == ["upsert a"]


def test_joins_the_callers_transaction_and_is_undone_with_it(
    client: MongoClient[Document], db: Database[Document], stored: Stored
) -> None:
    notes, tasks = track_collection(db, NOTE), track_collection(db, Aggregate(type="task", collection="tasks"))
    with client.start_session() as session:
        with session.start_transaction():
            notes.insert_one({"_id": "a"}, session=session)
            tasks.insert_one({"_id": "b"}, session=session)
            assert recorded(stored) == []
            session.abort_transaction()
        assert recorded(stored) == []
        with session.start_transaction():
            notes.insert_one({"_id": "a"}, session=session)
            tasks.insert_one({"_id": "b"}, session=session)
    assert recorded(stored) == ["upsert a", "upsert b"]


def test_with_a_session_that_has_no_transaction_runs_one_in_it(
    client: MongoClient[Document], db: Database[Document], stored: Stored
) -> None:
    with client.start_session() as session:
        track_collection(db, NOTE).insert_one({"_id": "a"}, session=session)
        assert not session.in_transaction
        with pytest.raises(InvalidOperation):
            session.abort_transaction()
    assert recorded(stored) == ["upsert a"]


def test_is_refused_before_it_writes_in_a_transaction_that_could_be_rolled_back(
    client: MongoClient[Document], db: Database[Document], stored: Stored
) -> None:
    with client.start_session() as session:
        session.start_transaction(write_concern=WriteConcern(w=1))
        with pytest.raises(Fault, match='use "majority"') as refused:
            track_collection(db, NOTE).insert_one({"_id": "a"}, session=session)
        session.commit_transaction()
    assert refused.value.code == "write-concern"
    assert [stored.documents("notes"), stored.events()] == [[], []]


def test_whatever_the_clients_own_settings_are(db: Database[Document], stored: Stored) -> None:
    """A client's write concern and read preference are not its transactions': a tracked write reads at the primary, and is acknowledged by the majority."""
    settings: Mapping[str, Any] = {"w": 1, "readPreference": "secondaryPreferred", "readConcernLevel": "local"}
    with MongoClient[Document](mongodb_uri(), **settings) as other:
        track_collection(other[db.name], NOTE).update_one({"_id": "a"}, {"$set": {"n": 1}}, upsert=True)
        with other.start_session() as session:
            session.start_transaction(write_concern=WriteConcern("majority"), read_preference=None)
            session.abort_transaction()
    assert recorded(stored) == ["upsert a"]


def test_a_payload_of_the_callers_own_is_recorded_as_it_is(
    client: MongoClient[Document], db: Database[Document], stored: Stored
) -> None:
    payload = {"b": Int64(1), "a": ObjectId(), "$c": {"d.e": [1, 1.0]}}
    with client.start_session() as session, session.start_transaction():
        db.people.insert_one({"_id": "ada"}, session=session)
        record_event(session, db, NOTE, Change.upsert("ada", payload))
    (event,) = stored.events()
    assert exactly(event["payload"]) == exactly(payload)
