"""A client, and a database for each test file.

The database is set up like that of a deployment, is empty at the start of each test, and is dropped at the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from asynchronous.stored import Stored
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.write_concern import WriteConcern
from support import Document, mongodb_uri, new_database_name, outbox_options


@pytest.fixture(scope="session")
async def client() -> AsyncIterator[AsyncMongoClient[Document]]:
    async with AsyncMongoClient[Document](mongodb_uri()) as connected:
        yield connected


@pytest.fixture(scope="module")
async def database(client: AsyncMongoClient[Document]) -> AsyncIterator[AsyncDatabase[Document]]:
    made = client[new_database_name()]
    await made.create_collection("outbox", **outbox_options())
    yield made
    await client.drop_database(made)


@pytest.fixture
async def db(database: AsyncDatabase[Document]) -> AsyncIterator[AsyncDatabase[Document]]:
    yield database
    soon = database.with_options(write_concern=WriteConcern(1))
    for name in await soon.list_collection_names():
        await soon[name].delete_many({})


@pytest.fixture
def stored(db: AsyncDatabase[Document]) -> Stored:
    return Stored(db)
