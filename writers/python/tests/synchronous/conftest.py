# Made by tools/synchronous.py from tests/asynchronous/conftest.py: change that one.
"""A client, and a database of each test file's own, set up like a deployment's, empty for each test, and dropped at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.synchronous.database import Database
from pymongo.write_concern import WriteConcern
from support import RAW, Document, mongodb_uri, new_database_name, outbox_options


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


class Stored:
    """What the server holds, as bytes."""

    def __init__(self, db: Database[Any]) -> None:
        self._db = db

    def documents(self, collection: str) -> list[RawBSONDocument]:
        found = self._db.get_collection(collection, codec_options=RAW).find({}, sort=[("_id", 1)])
        return found.to_list()

    def events(self) -> list[dict[str, Any]]:
        """In the order of their positions."""
        found = self._db.get_collection("outbox", codec_options=RAW).find({}, sort=[("position", 1)])
        return [dict(event) for event in found.to_list()]


@pytest.fixture
def stored(db: Database[Document]) -> Stored:
    return Stored(db)
