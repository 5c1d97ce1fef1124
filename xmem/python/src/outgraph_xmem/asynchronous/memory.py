"""The temporal memory: users and their dated events. Each event is a document with an id of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bson.objectid import ObjectId
from outgraph_writer.asynchronous.tracked_collection import track_collection
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from outgraph_xmem.aggregates import memory_event, memory_user
from outgraph_xmem.operations import EventChanges, event_update, listed, require_day, require_name


class AsyncMemory:
    """The operations on the temporal memory.

    Each operation is one transaction, or joins the caller's transaction of ``session``. Deleting something that does
    not exist succeeds.

    Raises:
        Fault: each operation raises ``payload-invalid`` for an invalid argument or document.

    Example:
        >>> memory = AsyncMemory(client.xmem)
        >>> event_id = await memory.add_event("ada", "12-10", event_name="birthday", year=1815)
        >>> await memory.move_event(event_id, "12-11")
    """

    def __init__(self, db: AsyncDatabase[Any]) -> None:
        self._users = track_collection(db, memory_user)
        self._events = track_collection(db, memory_event)

    async def add_user(self, user_id: str, *, session: AsyncClientSession | None = None) -> None:
        """Creates the user if it does not exist."""
        user = {"user_id": require_name(user_id, "user_id")}
        await self._users.update_one(user, {"$setOnInsert": user}, upsert=True, session=session)

    async def add_event(
        self,
        user_id: str,
        date: str,
        *,
        event_name: str | None = None,
        desc: str | None = None,
        year: str | int | None = None,
        time: str | None = None,
        date_expression: str | None = None,
        embedding: Sequence[float] | None = None,
        event_id: Any = None,
        session: AsyncClientSession | None = None,
    ) -> Any:
        """Adds an event, and returns its id.

        With an ``event_id`` of your own you can repeat the call: it does not change an existing event.

        Raises:
            Fault: ``payload-invalid``, for example for a date that is not one of the 366 days.
        """
        given = {
            "user_id": user_id,
            "date": date,
            "event_name": event_name,
            "desc": desc,
            "year": year,
            "time": time,
            "date_expression": date_expression,
            "embedding": listed(embedding),
        }
        document = {field: value for field, value in given.items() if value is not None}
        _id = ObjectId() if event_id is None else event_id
        await self._events.update_one({"_id": {"$eq": _id}}, {"$setOnInsert": document}, upsert=True, session=session)
        return _id

    async def update_event(
        self, event_id: Any, changes: EventChanges, *, session: AsyncClientSession | None = None
    ) -> bool:
        """Changes one event, and no other event of that day. Returns whether the event exists."""
        update = event_update(changes)
        if not update:
            return await self._events.find_one({"_id": {"$eq": event_id}}, ["_id"], session=session) is not None
        result = await self._events.update_one({"_id": {"$eq": event_id}}, update, session=session)
        return result.matched_count > 0

    async def move_event(self, event_id: Any, date: str, *, session: AsyncClientSession | None = None) -> bool:
        """Moves an event to another day. Returns whether the event exists.

        The move is one event of one aggregate, so a reader never sees the event on no day or on two.
        """
        return await self.update_event(event_id, {"date": require_day(date)}, session=session)

    async def delete_event(self, event_id: Any, *, session: AsyncClientSession | None = None) -> bool:
        """Deletes one event. Returns whether it existed."""
        result = await self._events.delete_one({"_id": {"$eq": event_id}}, session=session)
        return result.deleted_count > 0

    async def delete_events_by_date(self, user_id: str, date: str, *, session: AsyncClientSession | None = None) -> int:
        """Deletes the user's events of a day. Returns their number."""
        found = {"user_id": require_name(user_id, "user_id"), "date": require_day(date)}
        return (await self._events.delete_many(found, session=session)).deleted_count

    async def delete_events_by_name(
        self, user_id: str, event_name: str, *, session: AsyncClientSession | None = None
    ) -> int:
        """Deletes the user's events of that name. Returns their number. An empty name is refused."""
        found = {"user_id": require_name(user_id, "user_id"), "event_name": require_name(event_name, "event_name")}
        return (await self._events.delete_many(found, session=session)).deleted_count

    async def clear_user(self, user_id: str, *, session: AsyncClientSession | None = None) -> int:
        """Deletes all events of the user. Returns their number. The user stays."""
        found = {"user_id": require_name(user_id, "user_id")}
        return (await self._events.delete_many(found, session=session)).deleted_count
