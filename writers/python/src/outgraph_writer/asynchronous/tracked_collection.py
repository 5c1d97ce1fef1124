"""A collection whose writes always record their events.

Each verb writes the documents, and records the events of those that changed, in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Generic, NoReturn, TypeVar

from bson.raw_bson import RawBSONDocument
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.command_cursor import AsyncCommandCursor
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.results import BulkWriteResult, DeleteResult, InsertManyResult, InsertOneResult, UpdateResult

from outgraph_writer.aggregate import Aggregate
from outgraph_writer.asynchronous.bulk_write import AsyncBulkWrite
from outgraph_writer.asynchronous.chunks import commit_chunks, each_chunk
from outgraph_writer.asynchronous.find_one_and import FindOneAnd, find_one_and_write
from outgraph_writer.asynchronous.tracked_documents import AsyncTrackedDocuments
from outgraph_writer.bulk import Request, read_operations
from outgraph_writer.many import ManyDeleted, ManyUpdated, updated
from outgraph_writer.stored import with_own_id
from outgraph_writer.tracking import (
    Filter,
    Hint,
    Sort,
    Update,
    aim_at,
    ids_of,
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
        self._documents = AsyncTrackedDocuments(db, aggregate)
        self._collection: AsyncCollection[_Document] = self._documents.collection

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

        await self._documents.insert([given], insert, session, traceparent)
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

        await self._documents.insert(given, insert, session, traceparent)
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
        # A server before 8.0 refuses an order.
        if sort is None and self._documents.is_unread(update, upsert, record_unchanged):

            async def write_unread(
                collection: AsyncCollection[_Document], own: AsyncClientSession | None
            ) -> UpdateResult:
                return await collection.update_one(filter, update, session=own, **options)

            return await self._documents.track_unread(session, write_unread)

        async def write(own: AsyncClientSession) -> UpdateResult:
            before = await self._documents.read_one(own, filter, sort, reading)
            aim = aim_at(before, filter, upsert, options)
            result = await self._collection.update_one(aim.target, update, aim.inserts, session=own, **aim.options)
            await self._documents.record_result(own, before, aim, result, traceparent, record_unchanged)
            return result

        return await self._documents.track(session, write)

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
            before = await self._documents.read_one(own, filter, sort, reading)
            aim = aim_at(before, filter, upsert, options)
            result = await self._collection.replace_one(
                aim.target, replacement, aim.inserts, session=own, **aim.options
            )
            await self._documents.record_result(own, before, aim, result, traceparent, record_unchanged)
            return result

        return await self._documents.track(session, write)

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
        options = without_none(hint=hint, let=let, array_filters=array_filters, comment=comment)
        if self._documents.is_unread(update, upsert, record_unchanged):
            options |= without_none(sort=sort)

            async def write_unread(
                collection: AsyncCollection[_Document], own: AsyncClientSession | None
            ) -> _Document | None:
                return await collection.find_one_and_update(
                    filter, update, projection, return_document=return_document, session=own, **options
                )

            return await self._documents.track_unread(session, write_unread)

        async def write(collection: AsyncCollection[Any], target: Filter, **given: Any) -> Any:
            return await collection.find_one_and_update(target, update, **given)

        call = FindOneAnd(filter, projection, sort, upsert, return_document, options, traceparent, record_unchanged)
        found: _Document | None = await find_one_and_write(self._documents, call, session, write)
        return found

    async def find_one_and_replace(
        self,
        filter: Filter,
        replacement: Mapping[str, Any],
        projection: Mapping[str, Any] | Iterable[str] | None = None,
        sort: Sort | None = None,
        upsert: bool = False,
        return_document: bool = ReturnDocument.BEFORE,
        *,
        hint: Hint | None = None,
        session: AsyncClientSession | None = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        traceparent: str | None = None,
        record_unchanged: bool = False,
    ) -> _Document | None:
        """Replaces the first document that matches, and records its event if it changed.

        Returns:
            The document before or after its replacement, as ``find_one_and_update`` does.
        """
        options = without_none(hint=hint, let=let, comment=comment)

        async def write(collection: AsyncCollection[Any], target: Filter, **given: Any) -> Any:
            return await collection.find_one_and_replace(target, replacement, **given)

        call = FindOneAnd(filter, projection, sort, upsert, return_document, options, traceparent, record_unchanged)
        found: _Document | None = await find_one_and_write(self._documents, call, session, write)
        return found

    async def find_one_and_delete(
        self,
        filter: Filter,
        projection: Mapping[str, Any] | Iterable[str] | None = None,
        sort: Sort | None = None,
        *,
        hint: Hint | None = None,
        session: AsyncClientSession | None = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        traceparent: str | None = None,
    ) -> _Document | None:
        """Deletes the first document that matches, and records its event.

        Returns:
            The document that it deleted. None if there is none.
        """
        reading = without_none(hint=hint, let=let)

        async def delete(own: AsyncClientSession) -> _Document | None:
            before = await self._documents.read_one(own, filter, sort, reading)
            target = with_ids(ids_of(before))
            deleted = await self._collection.find_one_and_delete(target, projection, session=own, comment=comment)
            await self._documents.record_deleted(own, before, 0 if deleted is None else 1, traceparent)
            return deleted

        return await self._documents.track(session, delete)

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
        chunk_size: int | None = None,
    ) -> ManyUpdated:
        """Updates every document that matches, and records an event for each that changed.

        With ``chunk_size``, it commits that many documents at a time, each chunk in a transaction of its own with its
        events: not with ``upsert``, and not in a transaction of yours.

        Raises:
            Fault: ``too-many-documents`` if one transaction does not take them.
            UnfinishedWrite: if a chunk fails after others were committed.
        """
        reading = without_none(hint=hint, let=let)
        options = reading | without_none(
            array_filters=array_filters, bypass_document_validation=bypass_document_validation, comment=comment
        )

        async def write(own: AsyncClientSession, before: Sequence[RawBSONDocument], inserts: bool) -> UpdateResult:
            aim = aim_at(before, filter, inserts, options)
            result = await self._collection.update_many(aim.target, update, aim.inserts, session=own, **aim.options)
            await self._documents.record_result(own, before, aim, result, traceparent, record_unchanged)
            return result

        if chunk_size is not None:
            if upsert:
                raise ValueError("chunk_size and upsert exclude each other: upsert with update_one.")

            async def write_chunk(own: AsyncClientSession, before: Sequence[RawBSONDocument]) -> tuple[int, int]:
                result = await write(own, before, False)
                if result.matched_count != len(before):
                    raise unreadable(self._collection.name, len(before), result.matched_count)
                return result.modified_count, 0

            done = await commit_chunks(self._documents, filter, reading, chunk_size, session, write_chunk)
            return updated(done.matched_count, done.modified_count, done.chunks)

        async def write_all(own: AsyncClientSession) -> ManyUpdated:
            if self._documents.is_unread(update, upsert, record_unchanged):
                result = await self._collection.update_many(filter, update, session=own, **options)
                return updated(result.matched_count, result.modified_count, 1)
            matched, modified, found = 0, 0, False
            async for before in each_chunk(self._documents, own, filter, reading):
                result = await write(own, before, False)
                matched += result.matched_count
                modified += result.modified_count
                found = True
            if found:
                return updated(matched, modified, 1)
            return ManyUpdated((await write(own, [], upsert)).raw_result, 1)

        # The driver does not retry an update of many documents outside a transaction.
        return await self._documents.track(session, write_all)

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
            before = await self._documents.read_one(own, filter, None, reading)
            result = await self._collection.delete_one(with_ids(ids_of(before)), session=own, comment=comment)
            await self._documents.record_deleted(own, before, result.deleted_count, traceparent)
            return result

        return await self._documents.track(session, delete)

    async def delete_many(
        self,
        filter: Filter,
        *,
        hint: Hint | None = None,
        session: AsyncClientSession | None = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        traceparent: str | None = None,
        chunk_size: int | None = None,
    ) -> ManyDeleted:
        """Deletes every document that matches, and records their events.

        ``chunk_size`` and the errors are those of ``update_many``.
        """
        reading = without_none(hint=hint, let=let)

        async def write(own: AsyncClientSession, before: Sequence[RawBSONDocument]) -> tuple[int, int]:
            result = await self._collection.delete_many(with_ids(ids_of(before)), session=own, comment=comment)
            await self._documents.record_deleted(own, before, result.deleted_count, traceparent)
            return 0, result.deleted_count

        if chunk_size is not None:
            done = await commit_chunks(self._documents, filter, reading, chunk_size, session, write)
            return ManyDeleted(done.deleted_count, done.chunks)

        async def write_all(own: AsyncClientSession) -> ManyDeleted:
            deleted = 0
            async for before in each_chunk(self._documents, own, filter, reading):
                deleted += (await write(own, before))[1]
            return ManyDeleted(deleted, 1)

        return await self._documents.track(session, write_all)

    async def bulk_write(
        self,
        requests: Sequence[Request],
        ordered: bool = True,
        bypass_document_validation: bool | None = None,
        session: AsyncClientSession | None = None,
        comment: Any = None,
        let: Mapping[str, Any] | None = None,
        *,
        traceparent: str | None = None,
        record_unchanged: bool = False,
    ) -> BulkWriteResult:
        """Runs PyMongo's operations in their order, in one transaction.

        Each document that they change together has one event.

        Raises:
            Fault: ``untracked`` with ``ordered=False``: no operation can follow one that failed.

        Example:
            >>> await people.bulk_write([InsertOne({"_id": "ada"}), DeleteMany({"name": "Eve"})])
        """
        operations = read_operations(requests, ordered, self._collection.codec_options)
        options = without_none(bypass_document_validation=bypass_document_validation, comment=comment, let=let)

        async def write(own: AsyncClientSession) -> BulkWriteResult:
            bulk = AsyncBulkWrite(self._documents, own, options, record_unchanged)
            return await bulk.run(operations, traceparent)

        return await self._documents.track(session, write)

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

    async def drop(self, *_: Any, **__: Any) -> NoReturn:
        """Raises ``untracked``: use ``delete_many``."""
        raise untracked("drop", "use delete_many, so that every document leaves the graph too")

    async def rename(self, *_: Any, **__: Any) -> NoReturn:
        """Raises ``untracked``: declare an aggregate for the new collection and move the documents."""
        raise untracked("rename", "declare an aggregate for the new collection and move the documents")
