"""What the server holds, for the tests to look at."""

from __future__ import annotations

from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.database import AsyncDatabase
from support import RAW


class Stored:
    """What the server holds, as bytes."""

    def __init__(self, db: AsyncDatabase[Any]) -> None:
        self._db = db

    async def documents(self, collection: str) -> list[RawBSONDocument]:
        found = self._db.get_collection(collection, codec_options=RAW).find({}, sort=[("_id", 1)])
        return await found.to_list()

    async def events(self) -> list[dict[str, Any]]:
        """In the order of their positions."""
        found = self._db.get_collection("outbox", codec_options=RAW).find({}, sort=[("position", 1)])
        return [dict(event) for event in await found.to_list()]
