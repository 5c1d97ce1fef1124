"""The indexes that XMem's operations need."""

from __future__ import annotations

from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from outgraph_xmem.operations import INDEXES


async def ensure_indexes(db: AsyncDatabase[Any]) -> None:
    """Makes the indexes: one document for each user, repository, file and annotation, also of writers at the same time; and the ways by which events are found. Call it once, at the start."""
    for collection, fields, unique in INDEXES:
        await db[collection].create_index([(field, 1) for field in fields], unique=unique)
