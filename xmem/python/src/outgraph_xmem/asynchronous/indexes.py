"""The indexes that XMem's operations need."""

from __future__ import annotations

from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from outgraph_xmem.operations import INDEXES


async def ensure_indexes(db: AsyncDatabase[Any]) -> None:
    """Creates the indexes that the operations need. Call it once, at the start.

    Unique indexes keep one document for each user, repository, file and annotation, even with concurrent writers. The
    others speed up the search for events and annotations.

    Raises:
        OperationFailure: for example, if a collection contains duplicates.

    Example:
        >>> await ensure_indexes(client.xmem)
    """
    for collection, fields, unique in INDEXES:
        await db[collection].create_index([(field, 1) for field in fields], unique=unique)
