"""Reads the server's documents for the tests."""

from __future__ import annotations

from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.database import AsyncDatabase
from support import RAW


class Stored:
    """The server's documents, as bytes."""

    def __init__(self, db: AsyncDatabase[Any]) -> None:
        self._db = db

    async def documents(self, collection: str) -> list[RawBSONDocument]:
        found = self._db.get_collection(collection, codec_options=RAW).find({}, sort=[("_id", 1)])
        return await found.to_list()

    async def events(self) -> list[dict[str, Any]]:
        """The events in the order of their positions."""
        found = self._db.get_collection("outbox", codec_options=RAW).find({}, sort=[("position", 1)])
        return [dict(event) for event in await found.to_list()]
