"""Reads the documents of a tracked write before and after it, and records the events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.results import UpdateResult
from pymongo.write_concern import WriteConcern

from outgraph_writer.aggregate import Aggregate
from outgraph_writer.asynchronous.record import create_events, insert_events
from outgraph_writer.asynchronous.transaction import in_transaction
from outgraph_writer.document_changes import document_changes
from outgraph_writer.event import Change
from outgraph_writer.stored import is_stored_as_sent, raw_options, to_raw
from outgraph_writer.tracking import (
    CHUNK_DOCUMENTS,
    Aim,
    Filter,
    Sort,
    has_inserted,
    ids_of,
    in_chunks,
    unreadable,
    with_ids,
    without_none,
)
from outgraph_writer.unread_update import is_unread

_Result = TypeVar("_Result")

#: By default, a server's first answer has 101 documents only. It has never more than 16 MB.
_BATCH_SIZE = 100_000


class AsyncTrackedDocuments:
    """The documents of one tracked collection."""

    def __init__(self, db: AsyncDatabase[Any], aggregate: Aggregate) -> None:
        self.db = db
        self.aggregate = aggregate
        self.collection: AsyncCollection[Any] = db.get_collection(aggregate.collection)
        self.raw = self.collection.with_options(codec_options=raw_options(self.collection.codec_options))
        self._majority = self.collection.with_options(write_concern=WriteConcern("majority"))

    async def track(
        self, session: AsyncClientSession | None, write: Callable[[AsyncClientSession], Awaitable[_Result]]
    ) -> _Result:
        """Runs a write in the caller's transaction or in a new one."""
        return await in_transaction(self.db.client, session, write)

    async def track_unread(
        self,
        session: AsyncClientSession | None,
        write: Callable[[AsyncCollection[Any], AsyncClientSession | None], Awaitable[_Result]],
    ) -> _Result:
        """Runs a write of one document that no event follows.

        The driver retries it, so it needs a transaction only if the caller has one.
        """
        if session is not None and session.in_transaction:

            async def join(own: AsyncClientSession) -> _Result:
                return await write(self.collection, own)

            return await self.track(session, join)
        return await write(self._majority, session)

    def is_unread(self, update: Any, upsert: bool, record_unchanged: bool) -> bool:
        """Whether an update changes nothing that the projection, the check or the aggregate id is read from."""
        return is_unread(self.aggregate, update, upsert, record_unchanged)

    async def insert(
        self,
        documents: Sequence[Any],
        insert: Callable[[AsyncClientSession], Awaitable[None]],
        session: AsyncClientSession | None,
        traceparent: str | None,
    ) -> None:
        """Inserts documents and their events. An invalid event is refused before anything is written."""
        sent = [to_raw(document, self.collection.codec_options) for document in documents]

        async def work(own: AsyncClientSession) -> None:
            if all(map(is_stored_as_sent, sent)):
                events = create_events(self.db, self.aggregate, document_changes(self.aggregate, [], sent), traceparent)
                await insert(own)
                await insert_events(own, self.db, events)
                return
            # The server changes some of the documents.
            await insert(own)
            for chunk in in_chunks(ids_of(sent), CHUNK_DOCUMENTS):
                await self.record_from(own, [], chunk, traceparent)

        await self.track(session, work)

    async def record_result(
        self,
        own: AsyncClientSession,
        before: Sequence[RawBSONDocument],
        aim: Aim,
        result: UpdateResult,
        traceparent: str | None,
        record_unchanged: bool,
    ) -> None:
        if has_inserted(result):
            await self.record_from(own, [], [result.upserted_id], traceparent)
        elif aim.inserts and result.matched_count > 0:
            raise unreadable(self.aggregate.collection, result.matched_count, 0)
        elif result.modified_count > 0:
            await self.record_from(own, before, ids_of(before), traceparent, record_unchanged)

    async def record_deleted(
        self,
        own: AsyncClientSession,
        before: Sequence[RawBSONDocument],
        deleted: int,
        traceparent: str | None,
    ) -> None:
        if deleted != len(before):
            raise unreadable(self.aggregate.collection, deleted, len(before))
        await self.record(own, before, [], traceparent)

    async def record_from(
        self,
        own: AsyncClientSession,
        before: Sequence[RawBSONDocument],
        ids: Sequence[Any],
        traceparent: str | None,
        record_unchanged: bool = False,
    ) -> None:
        """Reads the current documents, and records an event for each that differs from before."""
        await self.record(own, before, await self.read_all(own, ids), traceparent, record_unchanged)

    async def record(
        self,
        own: AsyncClientSession,
        before: Sequence[RawBSONDocument],
        after: Sequence[RawBSONDocument],
        traceparent: str | None,
        record_unchanged: bool = False,
    ) -> None:
        await self.record_changes(own, self.changes(before, after, record_unchanged), traceparent)

    def changes(
        self, before: Sequence[RawBSONDocument], after: Sequence[RawBSONDocument], record_unchanged: bool
    ) -> list[Change]:
        return document_changes(self.aggregate, before, after, record_unchanged)

    async def record_changes(self, own: AsyncClientSession, changes: Sequence[Change], traceparent: str | None) -> None:
        await insert_events(own, self.db, create_events(self.db, self.aggregate, changes, traceparent))

    async def read(self, own: AsyncClientSession, filter: Filter, **options: Any) -> list[RawBSONDocument]:
        if not isinstance(filter, Mapping):
            raise TypeError("The filter must be a mapping. {} matches every document.")
        return await self.raw.find(filter, session=own, batch_size=_BATCH_SIZE, **options).to_list()

    async def read_one(
        self, own: AsyncClientSession, filter: Filter, sort: Sort | None, reading: Mapping[str, Any]
    ) -> list[RawBSONDocument]:
        """The document that the filter selects, to compare its state before and after. Empty if nothing matches."""
        return await self.read(own, filter, limit=1, **without_none(sort=sort), **reading)

    async def read_all(self, own: AsyncClientSession, ids: Sequence[Any]) -> list[RawBSONDocument]:
        """Raises ``untracked`` unless it finds each of the documents: otherwise an event would be missing."""
        found = await self.read(own, with_ids(ids)) if ids else []
        if len(found) != len(ids):
            raise unreadable(self.aggregate.collection, len(ids), len(found))
        return found

    async def read_ids(
        self, own: AsyncClientSession, filter: Filter, reading: Mapping[str, Any], limit: int
    ) -> list[Any]:
        return ids_of(await self.read(own, filter, projection=["_id"], limit=limit, **reading))
