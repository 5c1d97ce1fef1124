"""XMem's operations: each writes the documents and events that its graph needs, and changes nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest
from asynchronous.stored import Stored
from bson.int64 import Int64
from bson.objectid import ObjectId
from outgraph_writer import Fault
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from support import Document

from outgraph_xmem import EventChanges, ScanOutcome
from outgraph_xmem.asynchronous import AsyncCodeGraph, AsyncMemory, ensure_indexes


@pytest.fixture
async def memory(db: AsyncDatabase[Document]) -> AsyncMemory:
    await ensure_indexes(db)
    return AsyncMemory(db)


@pytest.fixture
async def code(db: AsyncDatabase[Document]) -> AsyncCodeGraph:
    await ensure_indexes(db)
    return AsyncCodeGraph(db)


async def operations(stored: Stored) -> list[str]:
    return [f"{event['operation']} {event['aggregateType']}" for event in await stored.events()]


async def days(db: AsyncDatabase[Document]) -> list[tuple[str, str, str | None]]:
    """The user, date and name of each event."""
    found = await db.memory_events.find({}, sort=[("user_id", 1), ("date", 1), ("event_name", 1)]).to_list()
    return [(event["user_id"], event["date"], event.get("event_name")) for event in found]


async def test_a_user_is_created_once(memory: AsyncMemory, stored: Stored) -> None:
    for _ in range(2):
        await memory.add_user("ada")
    assert [dict(user) | {"_id": None} for user in await stored.documents("memory_users")] == [
        {"_id": None, "user_id": "ada"}
    ]
    assert await operations(stored) == ["upsert memory-user"]


async def test_an_event_has_only_the_given_fields(memory: AsyncMemory, db: AsyncDatabase[Document]) -> None:
    first = await memory.add_event("ada", "12-10")
    second = await memory.add_event(
        "ada",
        "02-29",
        event_name="birthday",
        desc="of Ada",
        year=1815,
        time="09:00",
        date_expression="in winter",
        embedding=(0.5, 1),
        event_id="e",
    )
    assert isinstance(first, ObjectId)
    assert await db.memory_events.find_one({"_id": first}) == {"_id": first, "user_id": "ada", "date": "12-10"}
    assert second == "e"
    assert await db.memory_events.find_one({"_id": "e"}) == {
        "_id": "e",
        "user_id": "ada",
        "date": "02-29",
        "event_name": "birthday",
        "desc": "of Ada",
        "year": 1815,
        "time": "09:00",
        "date_expression": "in winter",
        "embedding": [0.5, 1],
    }


async def test_adding_an_existing_event_does_not_change_it(
    memory: AsyncMemory, db: AsyncDatabase[Document], stored: Stored
) -> None:
    await memory.add_event("ada", "12-10", event_name="birthday", event_id="e")
    await memory.update_event("e", {"event_name": "her birthday"})
    await memory.add_event("ada", "12-10", event_name="birthday", event_id="e")
    assert await days(db) == [("ada", "12-10", "her birthday")]
    assert await operations(stored) == ["upsert memory-event"] * 2


async def test_of_two_events_with_the_same_day_and_name_only_the_given_one_changes(
    memory: AsyncMemory, db: AsyncDatabase[Document]
) -> None:
    one = await memory.add_event("ada", "12-10", event_name="call")
    other = await memory.add_event("ada", "12-10", event_name="call")
    assert await memory.update_event(one, {"event_name": "long call"})
    assert await days(db) == [("ada", "12-10", "call"), ("ada", "12-10", "long call")]
    assert await memory.delete_event(other)
    assert await days(db) == [("ada", "12-10", "long call")]


async def test_a_move_is_one_event_of_one_aggregate(memory: AsyncMemory, stored: Stored) -> None:
    event = await memory.add_event("ada", "12-10")
    assert await memory.move_event(event, "12-11")
    added, moved = await stored.events()
    assert (added["aggregateId"], moved["aggregateId"]) == (str(event), str(event))
    assert (moved["operation"], moved["payload"]["date"]) == ("upsert", "12-11")


async def test_a_cleared_field_is_removed(memory: AsyncMemory, db: AsyncDatabase[Document]) -> None:
    await memory.add_event("ada", "12-10", desc="x", time="09:00", event_id="e")
    assert await memory.update_event("e", {"desc": None, "embedding": (0.5,), "year": "1815"})
    expected = {"_id": "e", "user_id": "ada", "date": "12-10", "time": "09:00", "embedding": [0.5], "year": "1815"}
    assert await db.memory_events.find_one({}) == expected


async def test_changing_or_deleting_a_missing_event_succeeds_without_effect(
    memory: AsyncMemory, stored: Stored
) -> None:
    assert not await memory.update_event("e", {"desc": "x"})
    assert not await memory.update_event("e", {})
    assert not await memory.move_event("e", "12-10")
    assert not await memory.delete_event("e")
    assert await memory.delete_events_by_date("ada", "12-10") == 0
    assert await memory.delete_events_by_name("ada", "call") == 0
    assert await memory.clear_user("ada") == 0
    assert await operations(stored) == []


async def test_deletions_leave_events_of_other_days_names_and_users(
    memory: AsyncMemory, db: AsyncDatabase[Document]
) -> None:
    for user, date, event_name in (
        ("ada", "12-10", "call"),
        ("ada", "12-10", None),
        ("ada", "12-11", "call"),
        ("ada", "12-12", "meeting"),
        ("bob", "12-10", "call"),
    ):
        await memory.add_event(user, date, event_name=event_name)
    assert await memory.delete_events_by_date("ada", "12-10") == 2
    assert await days(db) == [("ada", "12-11", "call"), ("ada", "12-12", "meeting"), ("bob", "12-10", "call")]
    assert await memory.delete_events_by_name("ada", "call") == 1
    assert await days(db) == [("ada", "12-12", "meeting"), ("bob", "12-10", "call")]
    assert await memory.clear_user("ada") == 1
    assert await days(db) == [("bob", "12-10", "call")]


async def test_an_ambiguous_or_invalid_argument_is_refused(memory: AsyncMemory, db: AsyncDatabase[Document]) -> None:
    await memory.add_event("ada", "12-10", event_id="e")
    every: Any = {"$ne": None}
    update: Any = {"user_id": "bob"}
    for refused, at in (
        (lambda: memory.add_event("ada", "02-30"), "payload.date"),
        (lambda: memory.add_event("", "12-10"), "payload.user_id"),
        (lambda: memory.add_user(every), "user_id"),
        (lambda: memory.update_event("e", {"date": "2026-05-11"}), "payload.date"),
        (lambda: memory.update_event("e", update), "user_id"),
        (lambda: memory.move_event("e", "13-01"), "date"),
        (lambda: memory.move_event("e", every), "date"),
        (lambda: memory.delete_events_by_date("ada", "2-3"), "date"),
        (lambda: memory.delete_events_by_date(every, "12-10"), "user_id"),
        (lambda: memory.delete_events_by_name("ada", ""), "event_name"),
        (lambda: memory.delete_events_by_name("ada", every), "event_name"),
        (lambda: memory.clear_user(""), "user_id"),
        (lambda: memory.clear_user(every), "user_id"),
    ):
        with pytest.raises(Fault, match=at):
            await refused()
    assert not await memory.delete_event(every)
    assert not await memory.update_event(every, {"desc": "x"})
    assert await db.memory_events.find({}).to_list() == [{"_id": "e", "user_id": "ada", "date": "12-10"}]


async def test_every_operation_can_join_the_callers_transaction(
    client: AsyncMongoClient[Document], memory: AsyncMemory, code: AsyncCodeGraph, stored: Stored
) -> None:
    async with client.start_session() as session:
        await session.start_transaction()
        await memory.add_user("ada", session=session)
        event = await memory.add_event("ada", "12-10", session=session)
        await memory.move_event(event, "12-11", session=session)
        await code.apply_files("acme", "shop", [A, B], session=session)
        await code.rename_file("acme", "shop", "src/b.ts", "src/c.ts", session=session)
        await code.put_annotation(ANNOTATION, session=session)
        await code.delete_repository("acme", "shop", session=session)
        await memory.clear_user("ada", session=session)
        await session.abort_transaction()
    assert await operations(stored) == []


A: Final[Mapping[str, Any]] = {
    "file_path": "src/a.ts",
    "commit_sha": "1",
    "total_lines": Int64(3),
    "symbols": [{"symbol_name": "Cart"}, {"symbol_name": "Cart.size"}],
    "calls": [
        {"from": "Cart", "to": {"file_path": "src/a.ts", "symbol_name": "Cart.size"}, "call_count": 1.0},
        {"from": "Cart", "to": {"file_path": "src/b.ts", "symbol_name": "sum"}},
    ],
    "imports": [{"file_path": "src/b.ts"}],
    "inherits": [{"from": "Cart", "to": {"file_path": "src/a.ts", "symbol_name": "Base"}}],
    "implements": None,
}
B: Final[Mapping[str, Any]] = {"file_path": "src/b.ts", "symbols": [{"symbol_name": "sum"}]}
ANNOTATION: Final[Mapping[str, Any]] = {
    "annotation_id": "n",
    "org_id": "acme",
    "repo": "shop",
    "target": {"kind": "symbol", "file_path": "src/a.ts", "symbol_name": "Cart"},
}


async def paths(db: AsyncDatabase[Document]) -> list[str]:
    return [file["file_path"] for file in await db.code_files.find({}, sort=[("file_path", 1)]).to_list()]


async def test_only_scanned_files_that_changed_are_written_and_keep_their_ids(
    code: AsyncCodeGraph, db: AsyncDatabase[Document], stored: Stored
) -> None:
    assert await code.apply_files("acme", "shop", [A, B]) == ScanOutcome(2, 0, 0)
    assert await operations(stored) == ["upsert code-repository", "upsert code-file", "upsert code-file"]
    ids = [file["_id"] for file in await stored.documents("code_files")]
    assert await code.apply_files("acme", "shop", [A, B]) == ScanOutcome(0, 2, 0)
    assert await code.apply_files("acme", "shop", [{**B, "language": "ts"}]) == ScanOutcome(1, 0, 0)
    assert [file["_id"] for file in await stored.documents("code_files")] == ids
    assert len(await operations(stored)) == 4
    file = await db.code_files.find_one({"file_path": "src/a.ts"}, {"_id": 0})
    assert file == {"org_id": "acme", "repo": "shop", **A}


async def test_a_complete_scan_removes_unlisted_files_of_its_own_repository_only(
    code: AsyncCodeGraph, db: AsyncDatabase[Document]
) -> None:
    await code.apply_files("acme", "shop", [A, B])
    await code.apply_files("acme", "other", [A])
    await code.apply_files("umbrella", "shop", [A])
    assert await code.apply_scan("acme", "shop", [B]) == ScanOutcome(0, 1, 1)
    assert await paths(db) == ["src/a.ts", "src/a.ts", "src/b.ts"]


async def test_one_invalid_file_prevents_all_writes(code: AsyncCodeGraph, stored: Stored) -> None:
    wrong = {"file_path": "src/c.ts", "calls": [{"from": "x", "to": {"file_path": "src/b.ts", "symbol_name": "sum"}}]}
    with pytest.raises(Fault, match=r"payload\.calls\[0\]\.from"):
        await code.apply_files("acme", "shop", [A, wrong])
    nowhere: list[Mapping[str, Any]] = [{}, {"file_path": {"$ne": None}}, {"file_path": "src/"}, A]
    for file in nowhere:
        with pytest.raises(Fault, match=r"files\[1\]\.file_path"):
            await code.apply_files("acme", "shop", [A, file])
    assert [await stored.documents("code_files"), await operations(stored)] == [[], []]


async def test_a_file_is_deleted_with_one_event(
    code: AsyncCodeGraph, db: AsyncDatabase[Document], stored: Stored
) -> None:
    await code.apply_files("acme", "shop", [A, B])
    assert await code.delete_file("acme", "shop", "src/a.ts")
    assert not await code.delete_file("acme", "shop", "src/a.ts")
    assert await paths(db) == ["src/b.ts"]
    assert (await operations(stored))[3:] == ["delete code-file"]


async def test_renaming_a_file_changes_its_references_to_itself_and_keeps_every_type(
    code: AsyncCodeGraph, db: AsyncDatabase[Document], stored: Stored
) -> None:
    await code.apply_files("acme", "shop", [A])
    before = await db.code_files.find_one({})
    assert before is not None
    assert await code.rename_file("acme", "shop", "src/a.ts", "lib/a.ts")
    assert not await code.rename_file("acme", "shop", "src/a.ts", "lib/a.ts")
    assert await code.rename_file("acme", "shop", "lib/a.ts", "lib/a.ts")
    after = await db.code_files.find_one({})
    own = {"file_path": "lib/a.ts", "symbol_name": "Cart.size"}
    assert after == {
        **before,
        "file_path": "lib/a.ts",
        "calls": [{"from": "Cart", "to": own, "call_count": 1.0}, before["calls"][1]],
        "inherits": [{"from": "Cart", "to": {"file_path": "lib/a.ts", "symbol_name": "Base"}}],
    }
    assert list(after) == list(before)
    assert isinstance(after["total_lines"], Int64)
    assert (await operations(stored))[2:] == ["upsert code-file"]


async def test_a_file_renamed_to_the_path_of_another_replaces_it(
    code: AsyncCodeGraph, db: AsyncDatabase[Document], stored: Stored
) -> None:
    await code.apply_files("acme", "shop", [A, B])
    assert await code.rename_file("acme", "shop", "src/a.ts", "src/b.ts")
    assert await paths(db) == ["src/b.ts"]
    assert (await operations(stored))[3:] == ["delete code-file", "upsert code-file"]


async def test_an_annotation_is_created_replaced_and_deleted(
    code: AsyncCodeGraph, db: AsyncDatabase[Document], stored: Stored
) -> None:
    await code.put_annotation(ANNOTATION)
    await code.put_annotation(ANNOTATION)
    await code.put_annotation({**ANNOTATION, "status": "open"})
    found = await db.code_annotations.find({}, {"_id": 0}).to_list()
    assert found == [{**ANNOTATION, "status": "open"}]
    assert await code.delete_annotation("n")
    assert not await code.delete_annotation("n")
    assert await operations(stored) == ["upsert code-annotation", "upsert code-annotation", "delete code-annotation"]


async def test_deleting_a_repository_deletes_its_own_files_and_annotations_only(
    code: AsyncCodeGraph, db: AsyncDatabase[Document], stored: Stored
) -> None:
    await code.apply_files("acme", "shop", [A, B])
    await code.put_annotation(ANNOTATION)
    await code.apply_files("acme", "other", [A])
    await code.put_annotation({**ANNOTATION, "annotation_id": "m", "repo": "other"})
    for _ in range(2):
        await code.delete_repository("acme", "shop")
    for collection in ("code_repositories", "code_files", "code_annotations"):
        assert await db[collection].count_documents({}) == 1
    assert sum(operation.startswith("delete") for operation in await operations(stored)) == 4


async def test_no_key_of_the_code_graph_can_match_several_documents(code: AsyncCodeGraph, stored: Stored) -> None:
    await code.apply_files("acme", "shop", [A])
    every: Any = {"$ne": None}
    for refused in (
        lambda: code.apply_scan(every, "shop", []),
        lambda: code.apply_files("acme", "", []),
        lambda: code.delete_file("acme", every, "src/a.ts"),
        lambda: code.delete_file("acme", "shop", every),
        lambda: code.rename_file("acme", "shop", "src/a.ts", every),
        lambda: code.put_annotation({**ANNOTATION, "annotation_id": every}),
        lambda: code.delete_annotation(every),
        lambda: code.delete_repository("acme", every),
    ):
        with pytest.raises(Fault, match=r"must be (a text that is not empty|the path of a file)"):
            await refused()
    assert len(await operations(stored)) == 2


async def test_an_update_that_changes_no_field_has_no_event(memory: AsyncMemory, stored: Stored) -> None:
    await memory.add_event("ada", "12-10", event_id="e")
    changes: list[EventChanges] = [{}, {"date": "12-10"}, {"desc": None}]
    assert [await memory.update_event("e", change) for change in changes] == [True] * 3
    assert await operations(stored) == ["upsert memory-event"]
