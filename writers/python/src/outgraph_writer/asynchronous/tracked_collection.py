"""A collection whose writes always record their events.

Each verb writes the documents, and records the events of those that changed, in one transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Generic, NoReturn, TypeVar

from bson.raw_bson import RawBSONDocument
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.command_cursor import AsyncCommandCursor
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.results import DeleteResult, InsertManyResult, InsertOneResult, UpdateResult

from outgraph_writer.aggregate import Aggregate
from outgraph_writer.asynchronous.record import create_events, insert_events
from outgraph_writer.asynchronous.transaction import in_transaction
from outgraph_writer.document_changes import document_changes
from outgraph_writer.stored import is_stored_as_sent, raw_options, to_raw, with_own_id
from outgraph_writer.tracking import (
    CHUNK_DOCUMENTS,
    Aim,
    Filter,
    Hint,
    Sort,
    Update,
    aim_at,
    has_inserted,
    ids_of,
    in_chunks,
    refuse_writing_stages,
    unreadable,
    untracked,
    with_ids,
    without_none,
)

_Document = TypeVar("_Document", bound=MutableMapping[str, Any])


def track_collection(db: AsyncDatabase[_Document], aggregate: Aggregate) -> AsyncTrackedCollection[_Document]:
    """Returns the aggregate's collection in ``db``, tracked: its writes record their events in the outbox of ``db``.

    Example:
        >>> people = track_collection(client.crm, Aggregate(type="person", collection="people"))
        >>> await people.update_one({"_id": "ada"}, {"$set": {"name": "Ada"}})
    """
    return AsyncTrackedCollection(db, aggregate)


class AsyncTrackedCollection(Generic[_Document]):
    """A collection whose writes record their events. Create it with ``track_collection``.

    The verbs take PyMongo's arguments and return its results. If ``session`` has a running transaction, the verb joins
    it and is rolled back with it. For ``traceparent``, see ``record_event``. With ``record_unchanged``, an update that
    changes only fields that ``Aggregate.fields`` does not name records its event too.

    There is no ``collation``: the library identifies changed documents by their ids, and a collation may treat two ids
    as equal. Find the ids with the collation, then write by id.

    Raises:
        Fault: each verb that writes raises it if a change cannot be recorded. After any error, neither document nor
            event is written, and the caller's transaction can only be aborted.

    Example:
        >>> people = track_collection(client.crm, Aggregate(type="person", collection="people"))
        >>> await people.delete_one({"_id": "ada"})
    """

    def __init__(self, db: AsyncDatabase[_Document], aggregate: Aggregate) -> None:
        self._db = db
        self._aggregate = aggregate
        self._collection = db.get_collection(aggregate.collection)
        self._raw = self._collection.with_options(codec_options=raw_options(self._collection.codec_options))

    async def insert_one(
        self,
        document: _Document,
        *,
        bypass_document_validation: bool | None = None,
        session: AsyncClientSession | None = None,
        comment: Any = None,
        traceparent: str | None = None,
    ) -> InsertOneResult:
        """Inserts a document and records its event."""
        options = without_none(bypass_document_validation=bypass_document_validation, comment=comment)
        given = with_own_id(document)

        async def insert(own: AsyncClientSession) -> None:
            await self._collection.insert_one(given, session=own, **options)

        await self._insert([given], insert, session, traceparent)
        return InsertOneResult(given["_id"], True)

    async def insert_many(
        self,
        documents: Iterable[_Document],
        *,
        ordered: bool = True,
        bypass_document_validation: bool | None = None,
        session: AsyncClientSession | None = None,
        comment: Any = None,
        traceparent: str | None = None,
    ) -> InsertManyResult:
        """Inserts all documents, or none, and records their events."""
        given = [with_own_id(document) for document in documents]
        options = without_none(bypass_document_validation=bypass_document_validation, comment=comment)

        async def insert(own: AsyncClientSession) -> None:
            await self._collection.insert_many(given, ordered=ordered, session=own, **options)

        await self._insert(given, insert, session, traceparent)
        return InsertManyResult([document["_id"] for document in given], True)

    async def update_one(
        self,
        filter: Filter,
        update: Update,
        upsert: bool = False,
        *,
        bypass_document_validation: bool | None = None,
        array_filters: Sequence[Mapping[str, Any]] | None = None,
        hint: Hint | None = None,
        session: AsyncClientSession | None = None,
        let: Mapping[str, Any] | None = None,
        sort: Sort | None = None,
        comment: Any = None,
        traceparent: str | None = None,
        record_unchanged: bool = False,
    ) -> UpdateResult:
        """Updates the first document that matches, and records its event if it changed."""
        reading = without_none(hint=hint, let=let)
        options = reading | without_none(
            bypass_document_validation=bypass_document_validation, array_filters=array_filters, comment=comment
        )

        async def write(own: AsyncClientSession) -> UpdateResult:
            before = await self._read_one(own, filter, sort, reading)
            aim = aim_at(before, filter, upsert, options)
            result = await self._collection.update_one(aim.target, update, aim.inserts, session=own, **aim.options)
            await self._record_result(own, before, aim, result, traceparent, record_unchanged)
            return result

        return await in_transaction(self._db.client, session, write)

    async def replace_one(
        self,
        filter: Filter,
        replacement: Mapping[str, Any],
        upsert: bool = False,
        *,
        bypass_document_validation: bool | None = None,
        hint: Hint | None = None,
        session: AsyncClientSession | None = None,
        let: Mapping[str, Any] | None = None,
        sort: Sort | None = None,
        comment: Any = None,
        traceparent: str | None = None,
        record_unchanged: bool = False,
    ) -> UpdateResult:
        """Replaces the first document that matches, and records its event if it changed."""
        reading = without_none(hint=hint, let=let)
        options = reading | without_none(bypass_document_validation=bypass_document_validation, comment=comment)

        async def write(own: AsyncClientSession) -> UpdateResult:
            before = await self._read_one(own, filter, sort, reading)
            aim = aim_at(before, filter, upsert, options)
            result = await self._collection.replace_one(
                aim.target, replacement, aim.inserts, session=own, **aim.options
            )
            await self._record_result(own, before, aim, result, traceparent, record_unchanged)
            return result

        return await in_transaction(self._db.client, session, write)

    async def find_one_and_update(
        self,
        filter: Filter,
        update: Update,
        projection: Mapping[str, Any] | Iterable[str] | None = None,
        sort: Sort | None = None,
        upsert: bool = False,
        return_document: bool = ReturnDocument.BEFORE,
        *,
        array_filters: Sequence[Mapping[str, Any]] | None = None,
        hint: Hint | None = None,
        session: AsyncClientSession | None = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        traceparent: str | None = None,
        record_unchanged: bool = False,
    ) -> _Document | None:
        """Updates the first document that matches, and records its event if it changed.

        Returns:
            The document before the update, or after it with ``ReturnDocument.AFTER``. None if there is none.
        """
        reading = without_none(hint=hint, let=let)
        options = reading | without_none(array_filters=array_filters, comment=comment)

        async def write(own: AsyncClientSession) -> _Document | None:
            before = await self._read_one(own, filter, sort, reading)
            aim = aim_at(before, filter, upsert, options)
            if not aim.inserts:
                value = await self._collection.find_one_and_update(
                    aim.target,
                    update,
                    projection,
                    return_document=return_document,
                    session=own,
                    **aim.options,
                )
                await self._record_from(own, before, ids_of(before), traceparent, record_unchanged)
                return value
            # The driver does not return the id of an inserted document, so request the document itself.
            inserted: Any = await self._raw.find_one_and_update(
                filter, update, upsert=True, return_document=ReturnDocument.AFTER, session=own, **options
            )
            await self._record(own, [], [inserted], traceparent)
            if return_document == ReturnDocument.BEFORE:
                return None
            return await self._collection.find_one(with_ids(ids_of([inserted])), projection, session=own)

        return await in_transaction(self._db.client, session, write)

    async def update_many(
        self,
        filter: Filter,
        update: Update,
        upsert: bool = False,
        *,
        array_filters: Sequence[Mapping[str, Any]] | None = None,
        bypass_document_validation: bool | None = None,
        hint: Hint | None = None,
        session: AsyncClientSession | None = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        traceparent: str | None = None,
        record_unchanged: bool = False,
    ) -> UpdateResult:
        """Updates every document that matches, and records an event for each that changed."""
        reading = without_none(hint=hint, let=let)
        options = reading | without_none(
            array_filters=array_filters, bypass_document_validation=bypass_document_validation, comment=comment
        )

        async def write(own: AsyncClientSession) -> UpdateResult:
            ids = await self._read_ids(own, filter, reading)
            matched = modified = 0
            for chunk in in_chunks(ids, CHUNK_DOCUMENTS) if ids else [[]]:
                before = await self._read_all(own, chunk)
                aim = aim_at(before, filter, upsert, options)
                result = await self._collection.update_many(aim.target, update, aim.inserts, session=own, **aim.options)
                await self._record_result(own, before, aim, result, traceparent, record_unchanged)
                if not ids:
                    return result
                matched += result.matched_count
                modified += result.modified_count
            return UpdateResult({"n": matched, "nModified": modified, "ok": 1.0, "updatedExisting": True}, True)

        return await in_transaction(self._db.client, session, write)

    async def delete_one(
        self,
        filter: Filter,
        *,
        hint: Hint | None = None,
        session: AsyncClientSession | None = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        traceparent: str | None = None,
    ) -> DeleteResult:
        """Deletes the first document that matches, and records its event."""
        reading = without_none(hint=hint, let=let)

        async def delete(own: AsyncClientSession) -> DeleteResult:
            before = await self._read_one(own, filter, None, reading)
            result = await self._collection.delete_one(with_ids(ids_of(before)), session=own, comment=comment)
            await self._record_deleted(own, before, result, traceparent)
            return result

        return await in_transaction(self._db.client, session, delete)

    async def delete_many(
        self,
        filter: Filter,
        *,
        hint: Hint | None = None,
        session: AsyncClientSession | None = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        traceparent: str | None = None,
    ) -> DeleteResult:
        """Deletes every document that matches, and records their events."""
        reading = without_none(hint=hint, let=let)

        async def delete(own: AsyncClientSession) -> DeleteResult:
            deleted = 0
            for chunk in in_chunks(await self._read_ids(own, filter, reading), CHUNK_DOCUMENTS):
                before = await self._read_all(own, chunk)
                result = await self._collection.delete_many(with_ids(chunk), session=own, comment=comment)
                await self._record_deleted(own, before, result, traceparent)
                deleted += result.deleted_count
            return DeleteResult({"n": deleted, "ok": 1.0}, True)

        return await in_transaction(self._db.client, session, delete)

    def find(self, *args: Any, **kwargs: Any) -> AsyncCursor[_Document]:
        """Calls the driver's method."""
        return self._collection.find(*args, **kwargs)

    async def find_one(self, filter: Any | None = None, *args: Any, **kwargs: Any) -> _Document | None:
        """Calls the driver's method."""
        return await self._collection.find_one(filter, *args, **kwargs)

    async def count_documents(self, filter: Filter, session: AsyncClientSession | None = None, **kwargs: Any) -> int:
        """Calls the driver's method."""
        return await self._collection.count_documents(filter, session=session, **kwargs)

    async def aggregate(
        self, pipeline: Sequence[Mapping[str, Any]], session: AsyncClientSession | None = None, **kwargs: Any
    ) -> AsyncCommandCursor[_Document]:
        """Calls the driver's method, for pipelines that only read.

        Raises:
            Fault: ``untracked`` if the pipeline writes (``$merge``, ``$out``), because its writes would have no events.
        """
        refuse_writing_stages(pipeline)
        return await self._collection.aggregate(pipeline, session=session, **kwargs)

    async def bulk_write(self, *_: Any, **__: Any) -> NoReturn:
        """Raises ``untracked``: use the other verbs, in one transaction if they belong together."""
        raise untracked(
            "bulk_write",
            "use insert_many, update_one, update_many or delete_many, in one transaction if they belong together",
        )

    async def find_one_and_replace(self, *_: Any, **__: Any) -> NoReturn:
        """Raises ``untracked``: use ``find_one_and_update`` or ``replace_one``."""
        raise untracked("find_one_and_replace", "use find_one_and_update or replace_one")

    async def find_one_and_delete(self, *_: Any, **__: Any) -> NoReturn:
        """Raises ``untracked``: use ``find_one`` and ``delete_one`` in one transaction."""
        raise untracked("find_one_and_delete", "use find_one and delete_one in one transaction")

    async def drop(self, *_: Any, **__: Any) -> NoReturn:
        """Raises ``untracked``: use ``delete_many``."""
        raise untracked("drop", "use delete_many, so that every document leaves the graph too")

    async def rename(self, *_: Any, **__: Any) -> NoReturn:
        """Raises ``untracked``: declare an aggregate for the new collection and move the documents."""
        raise untracked("rename", "declare an aggregate for the new collection and move the documents")

    async def _insert(
        self,
        documents: Sequence[_Document],
        insert: Callable[[AsyncClientSession], Awaitable[None]],
        session: AsyncClientSession | None,
        traceparent: str | None,
    ) -> None:
        """Inserts documents and their events. An invalid event is refused before anything is written."""
        sent = [to_raw(document, self._collection.codec_options) for document in documents]

        async def work(own: AsyncClientSession) -> None:
            if all(map(is_stored_as_sent, sent)):
                events = create_events(
                    self._db, self._aggregate, document_changes(self._aggregate, [], sent), traceparent
                )
                await insert(own)
                await insert_events(own, self._db, events)
                return
            # The server changes some of the documents.
            await insert(own)
            for chunk in in_chunks(ids_of(sent), CHUNK_DOCUMENTS):
                await self._record_from(own, [], chunk, traceparent)

        await in_transaction(self._db.client, session, work)

    async def _record_result(
        self,
        own: AsyncClientSession,
        before: Sequence[RawBSONDocument],
        aim: Aim,
        result: UpdateResult,
        traceparent: str | None,
        record_unchanged: bool,
    ) -> None:
        if has_inserted(result):
            await self._record_from(own, [], [result.upserted_id], traceparent)
        elif aim.inserts and result.matched_count > 0:
            raise unreadable(self._aggregate.collection, result.matched_count, 0)
        elif result.modified_count > 0:
            await self._record_from(own, before, ids_of(before), traceparent, record_unchanged)

    async def _record_deleted(
        self,
        own: AsyncClientSession,
        before: Sequence[RawBSONDocument],
        result: DeleteResult,
        traceparent: str | None,
    ) -> None:
        if result.deleted_count != len(before):
            raise unreadable(self._aggregate.collection, result.deleted_count, len(before))
        await self._record(own, before, [], traceparent)

    async def _record_from(
        self,
        own: AsyncClientSession,
        before: Sequence[RawBSONDocument],
        ids: Sequence[Any],
        traceparent: str | None,
        record_unchanged: bool = False,
    ) -> None:
        """Reads the current documents, and records an event for each that differs from before."""
        await self._record(own, before, await self._read_all(own, ids), traceparent, record_unchanged)

    async def _record(
        self,
        own: AsyncClientSession,
        before: Sequence[RawBSONDocument],
        after: Sequence[RawBSONDocument],
        traceparent: str | None,
        record_unchanged: bool = False,
    ) -> None:
        changes = document_changes(self._aggregate, before, after, record_unchanged)
        await insert_events(own, self._db, create_events(self._db, self._aggregate, changes, traceparent))

    async def _read(self, own: AsyncClientSession, filter: Filter, **options: Any) -> list[RawBSONDocument]:
        return await self._raw.find(filter, session=own, **options).to_list()

    async def _read_one(
        self, own: AsyncClientSession, filter: Filter, sort: Sort | None, reading: Mapping[str, Any]
    ) -> list[RawBSONDocument]:
        """The document that the filter selects, to compare its state before and after. Empty if nothing matches."""
        return await self._read(own, filter, limit=1, **without_none(sort=sort), **reading)

    async def _read_all(self, own: AsyncClientSession, ids: Sequence[Any]) -> list[RawBSONDocument]:
        """Raises ``untracked`` unless it finds each of the documents: otherwise an event would be missing."""
        found = await self._read(own, with_ids(ids)) if ids else []
        if len(found) != len(ids):
            raise unreadable(self._aggregate.collection, len(ids), len(found))
        return found

    async def _read_ids(self, own: AsyncClientSession, filter: Filter, reading: Mapping[str, Any]) -> list[Any]:
        return ids_of(await self._read(own, filter, projection=["_id"], **reading))
