# Made by tools/synchronous.py from tests/asynchronous/fixtures.py: change that one.
"""A client, and a database of each test file's own.

The database is set up like a deployment's, empty for each test, and dropped at the end.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pymongo import MongoClient
from pymongo.synchronous.database import Database
from pymongo.write_concern import WriteConcern
from support import Document, mongodb_uri, new_database_name, outbox_options
from synchronous.stored import Stored


@pytest.fixture(scope="session")
def client() -> Iterator[MongoClient[Document]]:
    with MongoClient[Document](mongodb_uri()) as connected:
        yield connected


@pytest.fixture(scope="module")
def database(client: MongoClient[Document]) -> Iterator[Database[Document]]:
    made = client[new_database_name()]
    made.create_collection("outbox", **outbox_options())
    yield made
    client.drop_database(made)


@pytest.fixture
def db(database: Database[Document]) -> Iterator[Database[Document]]:
    yield database
    soon = database.with_options(write_concern=WriteConcern(1))
    for name in soon.list_collection_names():
        soon[name].delete_many({})


@pytest.fixture
def stored(db: Database[Document]) -> Stored:
    return Stored(db)
