# Made by ../../writers/python/tools/synchronous.py from tests/asynchronous/test_xmem.py: change that one.
"""XMem's operations: each leaves the documents and the events that its graph needs, and touches nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest
from bson.int64 import Int64
from bson.objectid import ObjectId
from outgraph_writer import Fault
from pymongo import MongoClient
from pymongo.synchronous.database import Database
from support import Document
from synchronous.stored import Stored

from outgraph_xmem import EventChanges, ScanOutcome
from outgraph_xmem.synchronous import CodeGraph, Memory, ensure_indexes


@pytest.fixture
def memory(db: Database[Document]) -> Memory:
    ensure_indexes(db)
    return Memory(db)


@pytest.fixture
def code(db: Database[Document]) -> CodeGraph:
    ensure_indexes(db)
    return CodeGraph(db)


def operations(stored: Stored) -> list[str]:
    return [f"{event['operation']} {event['aggregateType']}" for event in stored.events()]


def days(db: Database[Document]) -> list[tuple[str, str, str | None]]:
    """User, date and name of all events."""
    found = db.memory_events.find({}, sort=[("user_id", 1), ("date", 1), ("event_name", 1)]).to_list()
    return [(event["user_id"], event["date"], event.get("event_name")) for event in found]


def test_a_user_is_made_once(memory: Memory, stored: Stored) -> None:
    for _ in range(2):
        memory.add_user("ada")
    assert [dict(user) | {"_id": None} for user in stored.documents("memory_users")] == [
        {"_id": None, "user_id": "ada"}
    ]
    assert operations(stored) == ["upsert memory-user"]


def test_an_event_holds_what_is_given_and_nothing_else(memory: Memory, db: Database[Document]) -> None:
    first = memory.add_event("ada", "12-10")
    second = memory.add_event(
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
    assert db.memory_events.find_one({"_id": first}) == {"_id": first, "user_id": "ada", "date": "12-10"}
    assert second == "e"
    assert db.memory_events.find_one({"_id": "e"}) == {
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


def test_an_event_that_is_added_again_stays_as_it_is(memory: Memory, db: Database[Document], stored: Stored) -> None:
    memory.add_event("ada", "12-10", event_name="birthday", event_id="e")
    memory.update_event("e", {"event_name": "her birthday"})
    memory.add_event("ada", "12-10", event_name="birthday", event_id="e")
    assert days(db) == [("ada", "12-10", "her birthday")]
    assert operations(stored) == ["upsert memory-event"] * 2


def test_of_two_events_on_one_day_with_one_name_the_one_that_is_meant_changes(
    memory: Memory, db: Database[Document]
) -> None:
    one = memory.add_event("ada", "12-10", event_name="call")
    other = memory.add_event("ada", "12-10", event_name="call")
    assert memory.update_event(one, {"event_name": "long call"})
    assert days(db) == [("ada", "12-10", "call"), ("ada", "12-10", "long call")]
    assert memory.delete_event(other)
    assert days(db) == [("ada", "12-10", "long call")]


def test_a_move_is_one_event_of_one_aggregate(memory: Memory, stored: Stored) -> None:
    event = memory.add_event("ada", "12-10")
    assert memory.move_event(event, "12-11")
    added, moved = stored.events()
    assert (added["aggregateId"], moved["aggregateId"]) == (str(event), str(event))
    assert (moved["operation"], moved["payload"]["date"]) == ("upsert", "12-11")


def test_a_field_that_is_cleared_is_gone(memory: Memory, db: Database[Document]) -> None:
    memory.add_event("ada", "12-10", desc="x", time="09:00", event_id="e")
    assert memory.update_event("e", {"desc": None, "embedding": (0.5,), "year": "1815"})
    expected = {"_id": "e", "user_id": "ada", "date": "12-10", "time": "09:00", "embedding": [0.5], "year": "1815"}
    assert db.memory_events.find_one({}) == expected


def test_what_is_not_there_is_neither_changed_nor_deleted_and_that_is_no_failure(
    memory: Memory, stored: Stored
) -> None:
    assert not memory.update_event("e", {"desc": "x"})
    assert not memory.update_event("e", {})
    assert not memory.move_event("e", "12-10")
    assert not memory.delete_event("e")
    assert memory.delete_events_by_date("ada", "12-10") == 0
    assert memory.delete_events_by_name("ada", "call") == 0
    assert memory.clear_user("ada") == 0
    assert operations(stored) == []


def test_deletions_by_date_and_name_and_of_all_touch_no_other_day_name_or_user(
    memory: Memory, db: Database[Document]
) -> None:
    for user, date, event_name in (
        ("ada", "12-10", "call"),
        ("ada", "12-10", None),
        ("ada", "12-11", "call"),
        ("ada", "12-12", "meeting"),
        ("bob", "12-10", "call"),
    ):
        memory.add_event(user, date, event_name=event_name)
    assert memory.delete_events_by_date("ada", "12-10") == 2
    assert days(db) == [("ada", "12-11", "call"), ("ada", "12-12", "meeting"), ("bob", "12-10", "call")]
    assert memory.delete_events_by_name("ada", "call") == 1
    assert days(db) == [("ada", "12-12", "meeting"), ("bob", "12-10", "call")]
    assert memory.clear_user("ada") == 1
    assert days(db) == [("bob", "12-10", "call")]


def test_what_could_mean_more_than_one_thing_is_refused(memory: Memory, db: Database[Document]) -> None:
    memory.add_event("ada", "12-10", event_id="e")
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
            refused()
    assert not memory.delete_event(every)
    assert not memory.update_event(every, {"desc": "x"})
    assert db.memory_events.find({}).to_list() == [{"_id": "e", "user_id": "ada", "date": "12-10"}]


def test_everything_can_be_part_of_the_callers_transaction(
    client: MongoClient[Document], memory: Memory, code: CodeGraph, stored: Stored
) -> None:
    with client.start_session() as session:
        session.start_transaction()
        memory.add_user("ada", session=session)
        event = memory.add_event("ada", "12-10", session=session)
        memory.move_event(event, "12-11", session=session)
        code.apply_files("acme", "shop", [A, B], session=session)
        code.rename_file("acme", "shop", "src/b.ts", "src/c.ts", session=session)
        code.put_annotation(ANNOTATION, session=session)
        code.delete_repository("acme", "shop", session=session)
        memory.clear_user("ada", session=session)
        session.abort_transaction()
    assert operations(stored) == []


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


def paths(db: Database[Document]) -> list[str]:
    return [file["file_path"] for file in db.code_files.find({}, sort=[("file_path", 1)]).to_list()]


def test_scanned_files_are_written_in_place_and_only_those_that_changed(
    code: CodeGraph, db: Database[Document], stored: Stored
) -> None:
    assert code.apply_files("acme", "shop", [A, B]) == ScanOutcome(2, 0, 0)
    assert operations(stored) == ["upsert code-repository", "upsert code-file", "upsert code-file"]
    ids = [file["_id"] for file in stored.documents("code_files")]
    assert code.apply_files("acme", "shop", [A, B]) == ScanOutcome(0, 2, 0)
    assert code.apply_files("acme", "shop", [{**B, "language": "ts"}]) == ScanOutcome(1, 0, 0)
    assert [file["_id"] for file in stored.documents("code_files")] == ids
    assert len(operations(stored)) == 4
    file = db.code_files.find_one({"file_path": "src/a.ts"}, {"_id": 0})
    assert file == {"org_id": "acme", "repo": "shop", **A}


def test_a_whole_scan_removes_what_it_does_not_list_and_no_other_repositorys_files(
    code: CodeGraph, db: Database[Document]
) -> None:
    code.apply_files("acme", "shop", [A, B])
    code.apply_files("acme", "other", [A])
    code.apply_files("umbrella", "shop", [A])
    assert code.apply_scan("acme", "shop", [B]) == ScanOutcome(0, 1, 1)
    assert paths(db) == ["src/a.ts", "src/a.ts", "src/b.ts"]


def test_of_files_with_a_wrong_one_none_is_written(code: CodeGraph, stored: Stored) -> None:
    wrong = {"file_path": "src/c.ts", "calls": [{"from": "x", "to": {"file_path": "src/b.ts", "symbol_name": "sum"}}]}
    with pytest.raises(Fault, match=r"payload\.calls\[0\]\.from"):
        code.apply_files("acme", "shop", [A, wrong])
    nowhere: list[Mapping[str, Any]] = [{}, {"file_path": {"$ne": None}}, {"file_path": "src/"}, A]
    for file in nowhere:
        with pytest.raises(Fault, match=r"files\[1\]\.file_path"):
            code.apply_files("acme", "shop", [A, file])
    assert [stored.documents("code_files"), operations(stored)] == [[], []]


def test_a_file_is_deleted_with_one_event(code: CodeGraph, db: Database[Document], stored: Stored) -> None:
    code.apply_files("acme", "shop", [A, B])
    assert code.delete_file("acme", "shop", "src/a.ts")
    assert not code.delete_file("acme", "shop", "src/a.ts")
    assert paths(db) == ["src/b.ts"]
    assert (operations(stored))[3:] == ["delete code-file"]


def test_a_file_is_renamed_with_its_references_to_itself_and_every_type_kept(
    code: CodeGraph, db: Database[Document], stored: Stored
) -> None:
    code.apply_files("acme", "shop", [A])
    before = db.code_files.find_one({})
    assert before is not None
    assert code.rename_file("acme", "shop", "src/a.ts", "lib/a.ts")
    assert not code.rename_file("acme", "shop", "src/a.ts", "lib/a.ts")
    assert code.rename_file("acme", "shop", "lib/a.ts", "lib/a.ts")
    after = db.code_files.find_one({})
    own = {"file_path": "lib/a.ts", "symbol_name": "Cart.size"}
    assert after == {
        **before,
        "file_path": "lib/a.ts",
        "calls": [{"from": "Cart", "to": own, "call_count": 1.0}, before["calls"][1]],
        "inherits": [{"from": "Cart", "to": {"file_path": "lib/a.ts", "symbol_name": "Base"}}],
    }
    assert list(after) == list(before)
    assert isinstance(after["total_lines"], Int64)
    assert (operations(stored))[2:] == ["upsert code-file"]


def test_a_file_that_is_renamed_to_another_ones_path_takes_its_place(
    code: CodeGraph, db: Database[Document], stored: Stored
) -> None:
    code.apply_files("acme", "shop", [A, B])
    assert code.rename_file("acme", "shop", "src/a.ts", "src/b.ts")
    assert paths(db) == ["src/b.ts"]
    assert (operations(stored))[3:] == ["delete code-file", "upsert code-file"]


def test_an_annotation_is_put_in_place_and_deleted(code: CodeGraph, db: Database[Document], stored: Stored) -> None:
    code.put_annotation(ANNOTATION)
    code.put_annotation(ANNOTATION)
    code.put_annotation({**ANNOTATION, "status": "open"})
    found = db.code_annotations.find({}, {"_id": 0}).to_list()
    assert found == [{**ANNOTATION, "status": "open"}]
    assert code.delete_annotation("n")
    assert not code.delete_annotation("n")
    assert operations(stored) == ["upsert code-annotation", "upsert code-annotation", "delete code-annotation"]


def test_a_repository_goes_with_its_files_and_annotations_and_no_other(
    code: CodeGraph, db: Database[Document], stored: Stored
) -> None:
    code.apply_files("acme", "shop", [A, B])
    code.put_annotation(ANNOTATION)
    code.apply_files("acme", "other", [A])
    code.put_annotation({**ANNOTATION, "annotation_id": "m", "repo": "other"})
    for _ in range(2):
        code.delete_repository("acme", "shop")
    for collection in ("code_repositories", "code_files", "code_annotations"):
        assert db[collection].count_documents({}) == 1
    assert sum(operation.startswith("delete") for operation in operations(stored)) == 4


def test_no_key_of_the_code_graph_can_mean_more_than_one_document(code: CodeGraph, stored: Stored) -> None:
    code.apply_files("acme", "shop", [A])
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
            refused()
    assert len(operations(stored)) == 2


def test_a_change_of_no_field_is_none(memory: Memory, stored: Stored) -> None:
    memory.add_event("ada", "12-10", event_id="e")
    changes: list[EventChanges] = [{}, {"date": "12-10"}, {"desc": None}]
    assert [memory.update_event("e", change) for change in changes] == [True] * 3
    assert operations(stored) == ["upsert memory-event"]
