"""Tests of a tracked collection beyond the conformance tables: recorded bytes, PyMongo's arguments, transactions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, Final
from uuid import UUID

import bson
import pytest
from asynchronous.stored import Stored
from bson.binary import Binary, UuidRepresentation
from bson.code import Code
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS
from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.raw_bson import RawBSONDocument
from bson.regex import Regex
from bson.timestamp import Timestamp
from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import InvalidOperation
from pymongo.write_concern import WriteConcern
from support import Document, exactly, mongodb_uri

from outgraph_writer import Aggregate, Change, Fault, Problem
from outgraph_writer.asynchronous import record_event, track_collection
from outgraph_writer.tracking import CHUNK_DOCUMENTS

NOTE: Final = Aggregate(type="note", collection="notes")


DATE_BEYOND_PYTHONS: Final = b"\x10\0\0\0\x09d\0\xff\xff\xff\xff\xff\xff\xff\x7f\0"
SYMBOL: Final = b"\x10\0\0\0\x0ed\0\x04\0\0\0abc\0\0"


async def recorded(stored: Stored) -> list[str]:
    """The operations and ids of all events, in their order."""
    return [f"{event['operation']} {event['aggregateId']}" for event in await stored.events()]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"int": 1, "long": Int64(1), "double": 1.0, "large": 2**40}, id="numbers of every type"),
        pytest.param({"at": datetime(2026, 1, 1), "bytes": b"x", "r": Regex("a", "i")}, id="dates, bytes, expressions"),
        pytest.param({"stamp": Timestamp(0, 0)}, id="an empty timestamp, which the server fills in"),
        pytest.param({"nested": {"stamp": Timestamp(0, 0)}}, id="an empty timestamp inside, which stays"),
        pytest.param({"uuid": Binary(b"x", 4)}, id="a UUID that is none"),
        pytest.param({"date": RawBSONDocument(DATE_BEYOND_PYTHONS)}, id="a date beyond Python's"),
        pytest.param({"symbol": RawBSONDocument(SYMBOL)}, id="a type that Python does not have"),
    ],
)
async def test_records_exactly_what_is_stored(fields: Document, db: AsyncDatabase[Document], stored: Stored) -> None:
    notes = track_collection(db, NOTE)
    await notes.insert_one({"z": 1, "_id": "a", **fields})
    await notes.insert_many([{"z": 1, "_id": "b", **fields}])
    await notes.update_many({}, {"$set": {"more": 1}})
    updated = [exactly(event["payload"]) for event in (await stored.events())[2:]]
    assert updated == list(map(exactly, await stored.documents("notes")))
    await db.notes.delete_many({})
    await notes.insert_one({"z": 1, "_id": "c", **fields})
    assert exactly((await stored.events())[-1]["payload"]) == exactly((await stored.documents("notes"))[0])


async def test_records_bytes_of_the_callers_own_as_the_server_puts_them_in_order(
    db: AsyncDatabase[Document], stored: Stored
) -> None:
    sent = RawBSONDocument(bytes(bson.encode({"z": 1, "id_": "a"})).replace(b"id_", b"_id"))
    assert list(sent) == ["z", "_id"]
    notes: Any = track_collection(db, NOTE)
    await notes.insert_one(sent)
    assert [list(event["payload"]) for event in await stored.events()] == [["_id", "z"]]


async def test_update_many_with_the_positional_operator_changes_what_the_filter_matched(
    db: AsyncDatabase[Document], stored: Stored
) -> None:
    await db.notes.insert_many([{"_id": _id, "l": [1, 2]} for _id in ("a", "b")])
    await track_collection(db, NOTE).update_many({"l": 2}, {"$set": {"l.$": 3}})
    assert [event["payload"]["l"] for event in await stored.events()] == [[1, 3], [1, 3]]


async def test_gives_a_document_its_id_as_the_driver_does(db: AsyncDatabase[Document], stored: Stored) -> None:
    notes = track_collection(db, NOTE)
    one: Document = {"text": "one"}
    many: list[Document] = [{"text": "two"}, {"text": "three"}]
    ids = [(await notes.insert_one(one)).inserted_id, *(await notes.insert_many(iter(many))).inserted_ids]
    assert ids == [document["_id"] for document in (one, *many)]
    assert await recorded(stored) == [f"upsert {_id}" for _id in ids]


async def test_reads_and_answers_as_the_program_has_set_its_client(
    client: AsyncMongoClient[Document], db: AsyncDatabase[Document], stored: Stored
) -> None:
    options = CodecOptions[Document](tz_aware=True, uuid_representation=UuidRepresentation.STANDARD)
    notes = track_collection(client.get_database(db.name, codec_options=options), NOTE)
    uuid = UUID("01234567-89ab-4def-8123-456789abcdef")
    at = datetime(2026, 1, 1, tzinfo=timezone.utc)
    await notes.insert_one({"_id": uuid, "at": at})
    answer = await notes.find_one_and_update({"_id": uuid}, {"$set": {"friend": uuid}}, return_document=True)
    assert answer == {"_id": uuid, "at": at, "friend": uuid}
    assert answer == await notes.find_one({"_id": uuid})
    assert await recorded(stored) == [f"upsert {uuid}"] * 2


async def test_more_documents_than_are_read_at_a_time(db: AsyncDatabase[Document], stored: Stored) -> None:
    notes = track_collection(db, NOTE)
    count = 2 * CHUNK_DOCUMENTS + 1
    await notes.insert_many([{"_id": index, "n": 0} for index in range(count)])
    updated = await notes.update_many({"n": 0}, {"$set": {"n": 1}})
    deleted = await notes.delete_many({})
    assert (updated.matched_count, updated.modified_count, updated.upserted_id) == (count, count, None)
    assert deleted.deleted_count == count
    ids = [str(index) for index in range(count)]
    expected = [f"{operation} {_id}" for operation in ("upsert", "upsert", "delete") for _id in ids]
    assert await recorded(stored) == expected


async def test_a_write_that_moves_aggregate_ids_between_documents_is_refused_as_a_whole(
    db: AsyncDatabase[Document], stored: Stored
) -> None:
    seats = track_collection(db, Aggregate(type="seat", collection="seats", id=lambda seat: str(seat["slot"])))
    count = CHUNK_DOCUMENTS + 1
    await db.seats.insert_many([{"_id": index, "slot": index} for index in range(count)])
    with pytest.raises(Fault, match="changes the aggregate id") as refused:
        await seats.update_many({}, {"$inc": {"slot": 1}})
    assert refused.value.code == "event-invalid"
    assert [seat["slot"] for seat in await stored.documents("seats")] == list(range(count))
    assert await stored.events() == []


async def test_a_refusal_that_is_caught_cannot_be_committed(
    client: AsyncMongoClient[Document], db: AsyncDatabase[Document], stored: Stored
) -> None:
    notes = track_collection(db, Aggregate(type="note", collection="notes", check=short))
    await notes.insert_one({"_id": "a", "text": "one"})

    async def catches(session: AsyncClientSession) -> None:
        with pytest.raises(Fault, match="must be short"):
            await notes.update_one({}, {"$set": {"text": "three"}}, session=session)
        await db.notes.insert_one({"_id": "b"}, session=session)

    async with client.start_session() as session:
        with pytest.raises(InvalidOperation, match=r"transaction was aborted.*must be short"):
            await session.with_transaction(catches)
        await session.with_transaction(lambda own: notes.update_one({}, {"$set": {"text": "two"}}, session=own))
    assert list(map(exactly, await stored.documents("notes"))) == [exactly({"_id": "a", "text": "two"})]
    assert await recorded(stored) == ["upsert a", "upsert a"]


async def test_what_an_event_refuses_is_found_before_the_document_is_written(
    client: AsyncMongoClient[Document], db: AsyncDatabase[Document]
) -> None:
    notes = track_collection(db, Aggregate(type="note", collection="notes", check=short))
    async with client.start_session() as session, await session.start_transaction():
        with pytest.raises(Fault, match="must be short"):
            await notes.insert_many([{"text": "one"}, {"text": "three"}], session=session)
        assert await db.notes.count_documents({}, session=session) == 0
        await session.abort_transaction()


async def test_a_document_of_bytes_without_an_id_gets_one(db: AsyncDatabase[Document], stored: Stored) -> None:
    notes: Any = track_collection(db, NOTE)
    raw = RawBSONDocument(bson.encode({"n": 1, "list": [1]}))
    one = await notes.insert_one(raw)
    many = await notes.insert_many([raw, RawBSONDocument(bson.encode({}))])
    ids = [one.inserted_id, *many.inserted_ids]
    assert await recorded(stored) == [f"upsert {_id}" for _id in ids]
    assert sorted(note["_id"] for note in await stored.documents("notes")) == sorted(ids)
    assert [exactly(event["payload"]) for event in await stored.events()] == [
        exactly(note) for note in await stored.documents("notes")
    ]


async def transact(client: AsyncMongoClient[Document], work: Callable[[AsyncClientSession], Awaitable[object]]) -> None:
    async with client.start_session() as session:
        await session.with_transaction(work)


async def test_text_that_is_not_utf_8_is_refused(
    client: AsyncMongoClient[Document], db: AsyncDatabase[Document], stored: Stored
) -> None:
    good = bson.encode({"_id": "a", "list": [{"text": "@"}], "n": 1})
    notes: Any = track_collection(db, NOTE)
    for broken in (good.replace(b"@", b"\xff"), good.replace(b"text", b"te\xfft")):
        with pytest.raises(Fault, match="UTF-8") as refused:
            await notes.insert_one(RawBSONDocument(broken))
        assert refused.value.code == "event-invalid"

        async def record(session: AsyncClientSession, payload: bytes = broken) -> None:
            await record_event(session, db, NOTE, Change.upsert("a", RawBSONDocument(payload)))

        with pytest.raises(Fault, match="UTF-8"):
            await transact(client, record)
        await db.notes.insert_one(RawBSONDocument(broken))
        with pytest.raises(Fault, match="UTF-8"):
            await notes.update_one({}, {"$inc": {"n": 1}})
        await notes.delete_many({})
    with pytest.raises(Fault, match="UTF-8"):
        await transact(client, lambda session: record_event(session, db, NOTE, Change.delete("\ud800")))
    assert await stored.documents("notes") == []
    assert await recorded(stored) == ["delete a", "delete a"]


async def test_a_document_that_cannot_be_read_back_leaves_nothing(db: AsyncDatabase[Document], stored: Stored) -> None:
    broken = RawBSONDocument(bson.encode({"_id": "@", "name": "a", "n": 1}).replace(b"@", b"\xff"))
    await db.notes.insert_one(broken)
    notes = track_collection(db, Aggregate(type="note", collection="notes", id=lambda note: str(note["name"])))
    with pytest.raises(Fault, match="1 documents, and 0 of them") as refused:
        await notes.update_many({}, {"$set": {"n": 2}})
    assert refused.value.code == "untracked"
    for delete in (notes.delete_one, notes.delete_many):
        with pytest.raises(Fault, match="could be read"):
            await delete({})
    assert list(map(exactly, await stored.documents("notes"))) == [bytes(broken.raw)]
    assert await recorded(stored) == []


async def test_takes_the_arguments_of_the_driver(db: AsyncDatabase[Document], stored: Stored) -> None:
    notes = track_collection(db, NOTE)
    await db.notes.create_index("n")
    await db.notes.insert_many([{"_id": name, "n": n, "l": [1, 2]} for name, n in (("a", 1), ("b", 2), ("c", 3))])
    least: Mapping[str, Any] = {"$expr": {"$gte": ["$n", "$$least"]}}
    let = {"least": 2}
    await notes.update_one({}, {"$set": {"l.$[two]": 0}}, array_filters=[{"two": 2}], sort=[("n", -1)], hint="n_1")
    await notes.update_many(least, {"$inc": {"n": 10}}, let=let, comment="x", bypass_document_validation=True)
    await notes.replace_one(least, {"n": 20}, let=let, sort={"n": -1})
    found = await notes.find_one_and_update({}, {"$inc": {"n": 1}}, ["n"], sort=[("n", 1)], hint=[("n", 1)])
    assert found == {"_id": "a", "n": 1}
    assert (await notes.delete_one(least, let={"least": 20})).deleted_count == 1
    assert (await notes.delete_many(least, let=let, hint="n_1")).deleted_count == 2
    events = ["upsert c", "upsert b", "upsert c", "upsert c", "upsert a", "delete c", "delete a", "delete b"]
    assert sorted(await recorded(stored)) == sorted(events)
    with pytest.raises(TypeError, match="collation"):
        await notes.update_one({}, {"$set": {"n": 1}}, collation={"locale": "en"})  # type: ignore[call-arg]


@pytest.mark.parametrize("which", [ReturnDocument.BEFORE, ReturnDocument.AFTER])
async def test_find_one_and_update_that_inserts_answers_as_the_driver_does(
    which: bool, db: AsyncDatabase[Document], stored: Stored
) -> None:
    arguments: Mapping[str, Any] = {"projection": {"_id": 0}, "upsert": True, "return_document": which}
    update = {"$set": {"n": 1}}
    answer = await track_collection(db, NOTE).find_one_and_update({"_id": "a"}, update, **arguments)
    assert answer == await db.others.find_one_and_update({"_id": "a"}, update, **arguments)
    assert await recorded(stored) == ["upsert a"]


@pytest.mark.parametrize("_id", [1.5, {"a": 1}, None, True, datetime(2026, 1, 1), Code("x")])
async def test_an_id_that_has_no_text_is_refused(_id: object, db: AsyncDatabase[Document], stored: Stored) -> None:
    with pytest.raises(Fault, match="declare the aggregate with an id function") as refused:
        await track_collection(db, NOTE).insert_one({"_id": _id})
    assert refused.value.code == "event-invalid"
    assert [await stored.documents("notes"), await stored.events()] == [[], []]


@pytest.mark.parametrize("_id", [1.5, {"a": 1}, None, True, Binary(b"x"), UUID(int=1), DatetimeMS(-(2**60))])
async def test_but_not_where_the_aggregate_says_what_it_is(
    _id: object, client: AsyncMongoClient[Document], db: AsyncDatabase[Document], stored: Stored
) -> None:
    options = CodecOptions[Document](
        uuid_representation=UuidRepresentation.PYTHON_LEGACY, datetime_conversion=DatetimeConversion.DATETIME_AUTO
    )
    notes = track_collection(
        client.get_database(db.name, codec_options=options),
        Aggregate(type="note", collection="notes", id=lambda note: str(note["name"])),
    )
    await notes.insert_one({"_id": _id, "name": "a"})
    await notes.update_one({}, {"$set": {"n": 1}})
    await notes.update_many({}, {"$set": {"n": 2}})
    await notes.delete_many({})
    await notes.update_one({"_id": {"$eq": _id}}, {"$set": {"name": "b"}}, upsert=True)
    await notes.delete_one({})
    assert await recorded(stored) == ["upsert a", "upsert a", "upsert a", "delete a", "upsert b", "delete b"]


async def test_reads_are_the_drivers_own(db: AsyncDatabase[Document]) -> None:
    notes = track_collection(db, NOTE)
    await notes.insert_many([{"_id": index} for index in range(3)])
    assert [note["_id"] for note in await notes.find({"_id": {"$gt": 0}}, sort=[("_id", -1)]).to_list()] == [2, 1]
    assert await notes.find_one(0, ["_id"]) == {"_id": 0}
    assert await notes.count_documents({}, limit=2) == 2
    assert await (await notes.aggregate([{"$count": "n"}])).to_list() == [{"n": 3}]


async def test_a_refusal_says_what_to_use_instead(db: AsyncDatabase[Document]) -> None:
    with pytest.raises(Fault, match=r"drop is not possible on a tracked collection.*use delete_many") as refused:
        await track_collection(db, NOTE).drop()
    assert refused.value.code == "untracked"


def short(payload: Mapping[str, Any]) -> Iterable[Problem]:
    """A check: the text must be short."""
    if len(payload["text"]) > 3:
        yield "text", "must be short"


async def test_what_the_check_refuses_leaves_nothing(db: AsyncDatabase[Document], stored: Stored) -> None:
    notes = track_collection(db, Aggregate(type="note", collection="notes", check=short))
    await notes.insert_one({"_id": "a", "text": "one"})
    for update, code, message in (
        ({"$set": {"text": "three"}}, "payload-invalid", 'The payload is not a "note": payload.text: must be short.'),
        ({"$set": {"text": 5}}, "projection-failed", 'The check of "note" raised TypeError.'),
    ):
        with pytest.raises(Fault) as refused:
            await notes.update_one({"_id": "a"}, update)
        assert (refused.value.code, refused.value.message) == (code, message)
    assert list(map(exactly, await stored.documents("notes"))) == [exactly({"_id": "a", "text": "one"})]
    assert await recorded(stored) == ["upsert a"]


async def test_joins_the_callers_transaction_and_is_undone_with_it(
    client: AsyncMongoClient[Document], db: AsyncDatabase[Document], stored: Stored
) -> None:
    notes, tasks = track_collection(db, NOTE), track_collection(db, Aggregate(type="task", collection="tasks"))
    async with client.start_session() as session:
        async with await session.start_transaction():
            await notes.insert_one({"_id": "a"}, session=session)
            await tasks.insert_one({"_id": "b"}, session=session)
            assert await recorded(stored) == []
            await session.abort_transaction()
        assert await recorded(stored) == []
        async with await session.start_transaction():
            await notes.insert_one({"_id": "a"}, session=session)
            await tasks.insert_one({"_id": "b"}, session=session)
    assert await recorded(stored) == ["upsert a", "upsert b"]


async def test_with_a_session_that_has_no_transaction_runs_one_in_it(
    client: AsyncMongoClient[Document], db: AsyncDatabase[Document], stored: Stored
) -> None:
    async with client.start_session() as session:
        await track_collection(db, NOTE).insert_one({"_id": "a"}, session=session)
        assert not session.in_transaction
        with pytest.raises(InvalidOperation):
            await session.abort_transaction()
    assert await recorded(stored) == ["upsert a"]


async def test_is_refused_before_it_writes_in_a_transaction_that_could_be_rolled_back(
    client: AsyncMongoClient[Document], db: AsyncDatabase[Document], stored: Stored
) -> None:
    async with client.start_session() as session:
        await session.start_transaction(write_concern=WriteConcern(w=1))
        with pytest.raises(Fault, match='use "majority"') as refused:
            await track_collection(db, NOTE).insert_one({"_id": "a"}, session=session)
        await session.commit_transaction()
    assert refused.value.code == "write-concern"
    assert [await stored.documents("notes"), await stored.events()] == [[], []]


async def test_whatever_the_clients_own_settings_are(db: AsyncDatabase[Document], stored: Stored) -> None:
    """A tracked write reads from the primary with write concern majority, even if the client has other defaults."""
    settings: Mapping[str, Any] = {"w": 1, "readPreference": "secondaryPreferred", "readConcernLevel": "local"}
    async with AsyncMongoClient[Document](mongodb_uri(), **settings) as other:
        await track_collection(other[db.name], NOTE).update_one({"_id": "a"}, {"$set": {"n": 1}}, upsert=True)
        async with other.start_session() as session:
            await session.start_transaction(write_concern=WriteConcern("majority"), read_preference=None)
            await session.abort_transaction()
    assert await recorded(stored) == ["upsert a"]


async def test_a_payload_of_the_callers_own_is_recorded_as_it_is(
    client: AsyncMongoClient[Document], db: AsyncDatabase[Document], stored: Stored
) -> None:
    payload = {"b": Int64(1), "a": ObjectId(), "$c": {"d.e": [1, 1.0]}}
    async with client.start_session() as session, await session.start_transaction():
        await db.people.insert_one({"_id": "ada"}, session=session)
        await record_event(session, db, NOTE, Change.upsert("ada", payload))
    (event,) = await stored.events()
    assert exactly(event["payload"]) == exactly(payload)
