# Made by tools/synchronous.py from tests/asynchronous/test_standalone.py: change that one.
"""A server that has no transactions."""

from __future__ import annotations

import os

import pytest
from pymongo import MongoClient
from support import Document, new_database_name

from outgraph_writer import Fault, graph
from outgraph_writer.synchronous import track_collection


def test_a_write_to_a_standalone_server_says_so_and_writes_nothing() -> None:
    uri = os.environ["MONGODB_STANDALONE_URI"]
    with MongoClient[Document](uri) as client:
        database = client[new_database_name()]
        with pytest.raises(Fault, match="standalone server, which has no transactions") as raised:
            track_collection(database, graph).insert_one({"nodes": [], "relationships": []})
        assert raised.value.code == "no-transaction"
        assert database[graph.collection].count_documents({}) == 0
