# Made by ../../writers/python/tools/synchronous.py from src/outgraph_xmem/asynchronous/indexes.py: change that one.
"""The indexes that XMem's operations need."""

from __future__ import annotations

from typing import Any

from pymongo.synchronous.database import Database

from outgraph_xmem.operations import INDEXES


def ensure_indexes(db: Database[Any]) -> None:
    """Makes the indexes: one document for each user, repository, file and annotation, also of writers at the same time; and the ways by which events are found. Call it once, at the start."""
    for collection, fields, unique in INDEXES:
        db[collection].create_index([(field, 1) for field in fields], unique=unique)
