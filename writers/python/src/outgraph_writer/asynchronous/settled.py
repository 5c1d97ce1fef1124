"""Waits until events are applied."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pymongo
from bson.codec_options import CodecOptions
from bson.objectid import ObjectId
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from pymongo.read_preferences import ReadPreference

from outgraph_writer.event import OUTBOX
from outgraph_writer.tracking import with_ids
from outgraph_writer.waiting import STATE, Waiting


async def settled(db: AsyncDatabase[Any], event_ids: Iterable[ObjectId], *, timeout: float = 10.0) -> None:
    """Returns when every event, or a newer state of its aggregate, is in the graph. Call it after the commit.

    Each call queries the outbox on its own: every 10 ms, and after a second every 100 ms. The user needs the MongoDB
    role ``await`` besides the writer's (docs/explanation/security.md).

    Args:
        db: the database of the documents and their outbox.
        event_ids: what ``record_events`` returned or ``collect_event_ids`` collected.
        timeout: the seconds to wait at most. The events are still applied later.

    Raises:
        Fault: the event's own code if it is dead; ``not-settled`` when the time is up; ``permission-denied`` if the
            user may not read the outbox.

    Example:
        >>> with collect_event_ids() as event_ids:
        ...     await people.insert_one({"_id": "ada", "name": "Ada"})
        >>> await settled(client.crm, event_ids, timeout=2)
    """
    waiting = Waiting(event_ids, timeout)
    outbox = db.get_collection(OUTBOX, codec_options=CodecOptions(), read_preference=ReadPreference.PRIMARY)
    while waiting.open:
        try:
            with pymongo.timeout(waiting.query_seconds()):
                for ids in waiting.chunks():
                    waiting.judge(ids, await outbox.find(with_ids(ids), STATE).to_list())
        except PyMongoError as error:
            waiting.failed(error)
        if waiting.open:
            await asyncio.sleep(waiting.pause())
