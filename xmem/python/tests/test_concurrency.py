"""Concurrent writers of the same document."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest
from pymongo import MongoClient
from pymongo.synchronous.database import Database
from support import Document, mongodb_uri, new_database_name, outbox_options

from outgraph_xmem import CodeGraph, ensure_indexes

WRITERS: Final = 4


@pytest.fixture
def db() -> Iterator[Database[Document]]:
    with MongoClient[Document](mongodb_uri()) as client:
        created = client[new_database_name()]
        created.create_collection("outbox", **outbox_options())
        yield created
        client.drop_database(created)


def test_threads_that_create_the_same_document_create_it_once(db: Database[Document]) -> None:
    ensure_indexes(db)
    code = CodeGraph(db)
    with ThreadPoolExecutor(WRITERS) as pool:
        outcomes = list(pool.map(lambda _: code.apply_files("acme", "shop", [{"file_path": "a.ts"}]), range(WRITERS)))
    assert sorted(outcome.written for outcome in outcomes) == [0] * (WRITERS - 1) + [1]
    assert [db.code_files.count_documents({}), db.outbox.count_documents({"aggregateType": "code-file"})] == [1, 1]
