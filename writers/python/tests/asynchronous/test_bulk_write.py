"""What the conformance tables do not see of bulk writes, chunks and updates without reads."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from asynchronous.stored import Stored
from pymongo import (
    AsyncMongoClient,
    DeleteMany,
    DeleteOne,
    InsertOne,
    ReplaceOne,
    UpdateMany,
    UpdateOne,
    monitoring,
)
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, InvalidOperation, OperationFailure
from support import Document, exactly, mongodb_uri

from outgraph_writer import Aggregate, Committed, Fault, UnfinishedWrite, collect_event_ids
from outgraph_writer.asynchronous import track_collection
from outgraph_writer.many import MAX_DOCUMENTS

NOTE = Aggregate(type="note", collection="notes")
DECLARED = Aggregate(type="note", collection="notes", fields=["text"])


def operations() -> list[Any]:
    """Every kind of operation, some of which depend on earlier ones."""
    return [
        InsertOne({"_id": "a", "n": 1}),
        UpdateMany({"n": 1}, {"$inc": {"n": 1}}),
        UpdateOne({"_id": "b"}, {"$set": {"n": 5}}, upsert=True),
        ReplaceOne({"n": 2}, {"n": 3}),
        UpdateOne({"n": 9}, {"$setOnInsert": {"_id": "c"}}, upsert=True),
        UpdateOne({"_id": "b"}, {"$push": {"list": 1}}),
        UpdateOne({"_id": "b"}, {"$set": {"list.$[x]": 2}}, array_filters=[{"x": 1}]),
        DeleteOne({"n": 5}),
        InsertOne({"_id": "d", "n": 1}),
        DeleteMany({"n": 3}),
    ]


async def test_the_result_of_a_bulk_write_is_the_drivers_own(db: AsyncDatabase[Document], stored: Stored) -> None:
    result = await track_collection(db, NOTE).bulk_write(operations())
    plain = await db.plain.bulk_write(operations())
    assert {**result.bulk_api_result} == {**plain.bulk_api_result}
    assert result.upserted_ids == {2: "b", 4: "c"}
    assert list(map(exactly, await stored.documents("notes"))) == list(map(exactly, await stored.documents("plain")))
    await db.plain.drop()


async def test_an_error_of_a_bulk_write_names_the_index_of_the_operation(
    db: AsyncDatabase[Document], stored: Stored
) -> None:
    with pytest.raises(BulkWriteError) as failed:
        await track_collection(db, NOTE).bulk_write([*operations(), InsertOne({"_id": "d"})])
    assert failed.value.details["writeErrors"][0]["index"] == 10
    assert [await stored.documents("notes"), await stored.events()] == [[], []]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([], ValueError, "at least one operation"),
        (None, TypeError, "list of operations"),
        ({"insertOne": {}}, TypeError, "list of operations"),
        ([{"insertOne": {"document": {}}}], TypeError, "operation 0 is a dict"),
        ([InsertOne({}), None], TypeError, "operation 1 is a NoneType"),
        ([InsertOne("a")], TypeError, "operation 0, InsertOne, needs a mapping as its document"),  # type: ignore
        ([DeleteMany(None)], TypeError, "operation 0, DeleteMany, needs a mapping as its filter"),  # type: ignore
        ([UpdateOne({}, {"n": 1})], ValueError, "update"),
        ([ReplaceOne({"_id": "a"}, {"$set": {"n": 1}})], ValueError, "replacement"),
        ([UpdateMany({}, {"$wrong": {"n": 1}})], OperationFailure, "wrong"),
    ],
)
async def test_a_wrong_bulk_write_says_what_is_wrong(
    given: Any, error: type[Exception], message: str, db: AsyncDatabase[Document]
) -> None:
    with pytest.raises(error, match=message):
        await track_collection(db, NOTE).bulk_write(given)


async def test_a_session_of_another_client_is_refused(db: AsyncDatabase[Document]) -> None:
    async with AsyncMongoClient[Document](mongodb_uri()) as other:
        session = other.start_session()
        with pytest.raises(InvalidOperation, match="Can only use session with"):
            await track_collection(db, NOTE).bulk_write(operations(), session=session)


class Commands(monitoring.CommandListener):
    """Notes the commands that a client sends."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name != "endSessions":
            self.names.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


async def commands_of(name: str, write: Callable[[AsyncDatabase[Document]], Any]) -> list[str]:
    commands = Commands()
    async with AsyncMongoClient[Document](mongodb_uri(), event_listeners=[commands]) as client:
        await write(client[name])
    return commands.names


async def test_a_bulk_write_by_id_has_as_many_commands_for_a_thousand_operations_as_for_one(
    db: AsyncDatabase[Document], stored: Stored
) -> None:
    for count in (1, 1_000):
        updates = [UpdateOne({"_id": f"{index}"}, {"$set": {"n": count}}, upsert=True) for index in range(count)]

        async def write(own: AsyncDatabase[Document], updates: Any = updates) -> None:
            await track_collection(own, NOTE).bulk_write(updates)

        names = await commands_of(db.name, write)
        assert names == ["find", "update", "find", "insert", "commitTransaction"]
    assert len(await stored.events()) == 1_001


async def test_an_update_of_a_field_that_is_not_declared_is_one_command(
    db: AsyncDatabase[Document], stored: Stored
) -> None:
    await db.notes.insert_one({"_id": "a", "text": "one", "seen": 1})
    calls: list[tuple[Aggregate, Callable[[Any], Any], list[str]]] = [
        (DECLARED, lambda notes: notes.update_one({"_id": "a"}, {"$set": {"seen": 2}}), ["update"]),
        (DECLARED, lambda notes: notes.update_one({}, {"$inc": {"x.y": 1}, "$unset": {"z": ""}}), ["update"]),
        (DECLARED, lambda notes: notes.find_one_and_update({}, {"$rename": {"seen": "met"}}), ["findAndModify"]),
        (DECLARED, lambda notes: notes.update_many({}, {"$set": {"seen": 3}}), ["update", "commitTransaction"]),
        (DECLARED, lambda notes: notes.update_one({}, {"$set": {"seen": 4}}, sort={"_id": 1}), ["find"]),
        (DECLARED, lambda notes: notes.update_one({}, [{"$set": {"seen": 5}}]), ["find"]),
        (DECLARED, lambda notes: notes.update_one({}, {"$set": {"seen": 6}}, True), ["find"]),
        (DECLARED, lambda notes: notes.update_one({}, {"$set": {"text.x": 1}}), ["find"]),
        (NOTE, lambda notes: notes.update_one({}, {"$set": {"seen": 7}}), ["find"]),
    ]
    for aggregate, call, wanted in calls:

        async def write(own: AsyncDatabase[Document], tracked: Aggregate = aggregate, call: Any = call) -> None:
            try:
                await call(track_collection(own, tracked))
            except OperationFailure:
                return

        assert (await commands_of(db.name, write))[: len(wanted)] == wanted
    assert [event["payload"]["seen"] for event in await stored.events()] == [7]


async def test_a_write_in_chunks_says_what_it_committed_before_an_error(db: AsyncDatabase[Document]) -> None:
    await db.notes.insert_many([{"_id": index, "n": "text" if index == 3 else 0} for index in range(5)])
    notes, increase = track_collection(db, NOTE), {"$inc": {"n": 1}}
    with pytest.raises(UnfinishedWrite, match="chunk 2 failed, after 1 chunks with 2 documents") as unfinished:
        await notes.update_many({}, increase, chunk_size=2)
    error = pickle.loads(pickle.dumps(unfinished.value))  # noqa: S301
    assert (error.code, error.committed, error.last_id) == ("unfinished", Committed(1, 2, 2, 0), 1)
    assert isinstance(unfinished.value.__cause__, OperationFailure)
    await notes.update_one({"_id": 3}, {"$set": {"n": 0}})
    with collect_event_ids() as event_ids:
        rest = await notes.update_many({"_id": {"$gt": error.last_id}}, increase, chunk_size=2)
    assert (rest.chunks, rest.matched_count, rest.modified_count, len(event_ids)) == (2, 3, 3, 3)
    assert [note["n"] for note in await notes.find(sort=["_id"]).to_list()] == [1] * 5


@pytest.mark.parametrize("chunk_size", [0, -1, 1.5, 10_001, "5", True])
async def test_a_wrong_chunk_size_is_refused(chunk_size: Any, db: AsyncDatabase[Document]) -> None:
    notes = track_collection(db, NOTE)
    with pytest.raises(ValueError, match="a whole number from 1 to 10000"):
        await notes.update_many({}, {"$set": {"n": 1}}, chunk_size=chunk_size)
    with pytest.raises(ValueError, match="a whole number from 1 to 10000"):
        await notes.delete_many({}, chunk_size=chunk_size)


@pytest.mark.parametrize("filter", [None, "a"])
async def test_a_missing_filter_is_refused(filter: Any, db: AsyncDatabase[Document]) -> None:
    notes = track_collection(db, NOTE)
    for write in (notes.delete_many, notes.delete_one, notes.find_one_and_delete):
        with pytest.raises(TypeError, match="filter must be a mapping"):
            await write(filter)


async def test_more_documents_than_one_transaction_takes_are_refused(
    db: AsyncDatabase[Document], stored: Stored
) -> None:
    await db.notes.insert_many([{"_id": index} for index in range(MAX_DOCUMENTS + 1)])
    notes = track_collection(db, NOTE)
    for write in (
        lambda: notes.update_many({}, {"$set": {"n": 1}}),
        lambda: notes.delete_many({}),
        lambda: notes.bulk_write([DeleteMany({})]),
    ):
        with pytest.raises(Fault, match=r"20000 documents.*Set chunk_size") as refused:
            await write()
        assert refused.value.code == "too-many-documents"
    assert await stored.events() == []
