# Made by tools/synchronous.py from src/outgraph_writer/asynchronous/tracked_collection.py: change that one.
"""A collection whose writes cannot forget their events: each verb writes the documents and records the events of those that changed, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Generic, NoReturn, TypeVar

from bson.raw_bson import RawBSONDocument
from pymongo import ReturnDocument
from pymongo.results import DeleteResult, InsertManyResult, InsertOneResult, UpdateResult
from pymongo.synchronous.client_session import ClientSession
from pymongo.synchronous.command_cursor import CommandCursor
from pymongo.synchronous.cursor import Cursor
from pymongo.synchronous.database import Database

from outgraph_writer.aggregate import Aggregate
from outgraph_writer.document_changes import document_changes
from outgraph_writer.stored import is_stored_as_sent, raw_options, to_raw, with_own_id
from outgraph_writer.synchronous.record import create_events, insert_events
from outgraph_writer.synchronous.transaction import in_transaction
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


def track_collection(db: Database[_Document], aggregate: Aggregate) -> TrackedCollection[_Document]:
    """Makes a collection tracked: its documents are the aggregates of ``aggregate``, in the aggregate's collection.

    Example:
        >>> people = track_collection(client.crm, Aggregate(type="person", collection="people"))
        >>> people.update_one({"_id": "ada"}, {"$set": {"name": "Ada"}})
    """
    return TrackedCollection(db, aggregate)


class TrackedCollection(Generic[_Document]):
    """See ``track_collection``. The verbs take PyMongo's arguments and answer with its results; one that fails leaves neither document nor event: after it, a transaction of the caller's can only be aborted.

    ``session`` with a running transaction: the verb joins it, and is undone with it. ``traceparent``: see ``record_event``. There is no ``collation``: which documents a write changed is
    told by their ids, and a collation may take two ids for one; find the ids with it, then write by id.
    """

    def __init__(self, db: Database[_Document], aggregate: Aggregate) -> None:
        self._db = db
        self._aggregate = aggregate
        self._collection = db.get_collection(aggregate.collection)
        self._raw = self._collection.with_options(codec_options=raw_options(self._collection.codec_options))

    def insert_one(
        self,
        document: _Document,
        *,
        bypass_document_validation: bool | None = None,
        session: ClientSession | None = None,
        comment: Any = None,
        traceparent: str | None = None,
    ) -> InsertOneResult:
        options = without_none(bypass_document_validation=bypass_document_validation, comment=comment)
        given = with_own_id(document)

        def insert(own: ClientSession) -> None:
            self._collection.insert_one(given, session=own, **options)

        self._insert([given], insert, session, traceparent)
        return InsertOneResult(given["_id"], True)

    def insert_many(
        self,
        documents: Iterable[_Document],
        *,
        ordered: bool = True,
        bypass_document_validation: bool | None = None,
        session: ClientSession | None = None,
        comment: Any = None,
        traceparent: str | None = None,
    ) -> InsertManyResult:
        given = [with_own_id(document) for document in documents]
        options = without_none(bypass_document_validation=bypass_document_validation, comment=comment)

        def insert(own: ClientSession) -> None:
            self._collection.insert_many(given, ordered=ordered, session=own, **options)

        self._insert(given, insert, session, traceparent)
        return InsertManyResult([document["_id"] for document in given], True)

    def update_one(
        self,
        filter: Filter,
        update: Update,
        upsert: bool = False,
        *,
        bypass_document_validation: bool | None = None,
        array_filters: Sequence[Mapping[str, Any]] | None = None,
        hint: Hint | None = None,
        session: ClientSession | None = None,
        let: Mapping[str, Any] | None = None,
        sort: Sort | None = None,
        comment: Any = None,
        traceparent: str | None = None,
    ) -> UpdateResult:
        reading = without_none(hint=hint, let=let)
        options = reading | without_none(
            bypass_document_validation=bypass_document_validation, array_filters=array_filters, comment=comment
        )

        def write(own: ClientSession) -> UpdateResult:
            before = self._read_one(own, filter, sort, reading)
            aim = aim_at(before, filter, upsert, options)
            result = self._collection.update_one(aim.target, update, aim.inserts, session=own, **aim.options)
            self._record_result(own, before, aim, result, traceparent)
            return result

        return in_transaction(self._db.client, session, write)

    def replace_one(
        self,
        filter: Filter,
        replacement: Mapping[str, Any],
        upsert: bool = False,
        *,
        bypass_document_validation: bool | None = None,
        hint: Hint | None = None,
        session: ClientSession | None = None,
        let: Mapping[str, Any] | None = None,
        sort: Sort | None = None,
        comment: Any = None,
        traceparent: str | None = None,
    ) -> UpdateResult:
        reading = without_none(hint=hint, let=let)
        options = reading | without_none(bypass_document_validation=bypass_document_validation, comment=comment)

        def write(own: ClientSession) -> UpdateResult:
            before = self._read_one(own, filter, sort, reading)
            aim = aim_at(before, filter, upsert, options)
            result = self._collection.replace_one(aim.target, replacement, aim.inserts, session=own, **aim.options)
            self._record_result(own, before, aim, result, traceparent)
            return result

        return in_transaction(self._db.client, session, write)

    def find_one_and_update(
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
        session: ClientSession | None = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        traceparent: str | None = None,
    ) -> _Document | None:
        reading = without_none(hint=hint, let=let)
        options = reading | without_none(array_filters=array_filters, comment=comment)

        def write(own: ClientSession) -> _Document | None:
            before = self._read_one(own, filter, sort, reading)
            aim = aim_at(before, filter, upsert, options)
            if not aim.inserts:
                value = self._collection.find_one_and_update(
                    aim.target,
                    update,
                    projection,
                    return_document=return_document,
                    session=own,
                    **aim.options,
                )
                self._record_from(own, before, ids_of(before), traceparent)
                return value
            # The driver does not tell the id of what it inserts, so the document itself is asked for.
            inserted: Any = self._raw.find_one_and_update(
                filter, update, upsert=True, return_document=ReturnDocument.AFTER, session=own, **options
            )
            self._record(own, [], [inserted], traceparent)
            if return_document == ReturnDocument.BEFORE:
                return None
            return self._collection.find_one(with_ids(ids_of([inserted])), projection, session=own)

        return in_transaction(self._db.client, session, write)

    def update_many(
        self,
        filter: Filter,
        update: Update,
        upsert: bool = False,
        *,
        array_filters: Sequence[Mapping[str, Any]] | None = None,
        bypass_document_validation: bool | None = None,
        hint: Hint | None = None,
        session: ClientSession | None = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        traceparent: str | None = None,
    ) -> UpdateResult:
        reading = without_none(hint=hint, let=let)
        options = reading | without_none(
            array_filters=array_filters, bypass_document_validation=bypass_document_validation, comment=comment
        )

        def write(own: ClientSession) -> UpdateResult:
            ids = self._read_ids(own, filter, reading)
            matched = modified = 0
            for chunk in in_chunks(ids, CHUNK_DOCUMENTS) if ids else [[]]:
                before = self._read_all(own, chunk)
                aim = aim_at(before, filter, upsert, options)
                result = self._collection.update_many(aim.target, update, aim.inserts, session=own, **aim.options)
                self._record_result(own, before, aim, result, traceparent)
                if not ids:
                    return result
                matched += result.matched_count
                modified += result.modified_count
            return UpdateResult({"n": matched, "nModified": modified, "ok": 1.0, "updatedExisting": True}, True)

        return in_transaction(self._db.client, session, write)

    def delete_one(
        self,
        filter: Filter,
        *,
        hint: Hint | None = None,
        session: ClientSession | None = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        traceparent: str | None = None,
    ) -> DeleteResult:
        reading = without_none(hint=hint, let=let)

        def delete(own: ClientSession) -> DeleteResult:
            before = self._read_one(own, filter, None, reading)
            result = self._collection.delete_one(with_ids(ids_of(before)), session=own, comment=comment)
            self._record_deleted(own, before, result, traceparent)
            return result

        return in_transaction(self._db.client, session, delete)

    def delete_many(
        self,
        filter: Filter,
        *,
        hint: Hint | None = None,
        session: ClientSession | None = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        traceparent: str | None = None,
    ) -> DeleteResult:
        reading = without_none(hint=hint, let=let)

        def delete(own: ClientSession) -> DeleteResult:
            deleted = 0
            for chunk in in_chunks(self._read_ids(own, filter, reading), CHUNK_DOCUMENTS):
                before = self._read_all(own, chunk)
                result = self._collection.delete_many(with_ids(chunk), session=own, comment=comment)
                self._record_deleted(own, before, result, traceparent)
                deleted += result.deleted_count
            return DeleteResult({"n": deleted, "ok": 1.0}, True)

        return in_transaction(self._db.client, session, delete)

    # Reads are the driver's own.

    def find(self, *args: Any, **kwargs: Any) -> Cursor[_Document]:
        return self._collection.find(*args, **kwargs)

    def find_one(self, filter: Any | None = None, *args: Any, **kwargs: Any) -> _Document | None:
        return self._collection.find_one(filter, *args, **kwargs)

    def count_documents(self, filter: Filter, session: ClientSession | None = None, **kwargs: Any) -> int:
        return self._collection.count_documents(filter, session=session, **kwargs)

    def aggregate(
        self, pipeline: Sequence[Mapping[str, Any]], session: ClientSession | None = None, **kwargs: Any
    ) -> CommandCursor[_Document]:
        """Raises ``untracked`` if the pipeline writes (``$merge``, ``$out``): its writes would have no events."""
        refuse_writing_stages(pipeline)
        return self._collection.aggregate(pipeline, session=session, **kwargs)

    # Always refused: these would write without events.

    def bulk_write(self, *_: Any, **__: Any) -> NoReturn:
        raise untracked(
            "bulk_write",
            "use insert_many, update_one, update_many or delete_many, in one transaction if they belong together",
        )

    def find_one_and_replace(self, *_: Any, **__: Any) -> NoReturn:
        raise untracked("find_one_and_replace", "use find_one_and_update or replace_one")

    def find_one_and_delete(self, *_: Any, **__: Any) -> NoReturn:
        raise untracked("find_one_and_delete", "use find_one and delete_one in one transaction")

    def drop(self, *_: Any, **__: Any) -> NoReturn:
        raise untracked("drop", "use delete_many, so that every document leaves the graph too")

    def rename(self, *_: Any, **__: Any) -> NoReturn:
        raise untracked("rename", "declare an aggregate for the new collection and move the documents")

    def _insert(
        self,
        documents: Sequence[_Document],
        insert: Callable[[ClientSession], None],
        session: ClientSession | None,
        traceparent: str | None,
    ) -> None:
        """Inserts documents and their events. What is wrong with an event is found before anything is written."""
        sent = [to_raw(document, self._collection.codec_options) for document in documents]

        def work(own: ClientSession) -> None:
            if all(map(is_stored_as_sent, sent)):
                events = create_events(
                    self._db, self._aggregate, document_changes(self._aggregate, [], sent), traceparent
                )
                insert(own)
                insert_events(own, self._db, events)
                return
            # The server changes some of them.
            insert(own)
            for chunk in in_chunks(ids_of(sent), CHUNK_DOCUMENTS):
                self._record_from(own, [], chunk, traceparent)

        in_transaction(self._db.client, session, work)

    def _record_result(
        self,
        own: ClientSession,
        before: Sequence[RawBSONDocument],
        aim: Aim,
        result: UpdateResult,
        traceparent: str | None,
    ) -> None:
        if has_inserted(result):
            self._record_from(own, [], [result.upserted_id], traceparent)
        elif aim.inserts and result.matched_count > 0:
            raise unreadable(self._aggregate.collection, result.matched_count, 0)
        elif result.modified_count > 0:
            self._record_from(own, before, ids_of(before), traceparent)

    def _record_deleted(
        self,
        own: ClientSession,
        before: Sequence[RawBSONDocument],
        result: DeleteResult,
        traceparent: str | None,
    ) -> None:
        if result.deleted_count != len(before):
            raise unreadable(self._aggregate.collection, result.deleted_count, len(before))
        self._record(own, before, [], traceparent)

    def _record_from(
        self,
        own: ClientSession,
        before: Sequence[RawBSONDocument],
        ids: Sequence[Any],
        traceparent: str | None,
    ) -> None:
        """Reads the documents as they are now, and records an event for each that differs from before."""
        self._record(own, before, self._read_all(own, ids), traceparent)

    def _record(
        self,
        own: ClientSession,
        before: Sequence[RawBSONDocument],
        after: Sequence[RawBSONDocument],
        traceparent: str | None,
    ) -> None:
        changes = document_changes(self._aggregate, before, after)
        insert_events(own, self._db, create_events(self._db, self._aggregate, changes, traceparent))

    def _read(self, own: ClientSession, filter: Filter, **options: Any) -> list[RawBSONDocument]:
        return self._raw.find(filter, session=own, **options).to_list()

    def _read_one(
        self, own: ClientSession, filter: Filter, sort: Sort | None, reading: Mapping[str, Any]
    ) -> list[RawBSONDocument]:
        """The one document that the filter means, so that its state before and after can be compared; none if nothing matches."""
        return self._read(own, filter, limit=1, **without_none(sort=sort), **reading)

    def _read_all(self, own: ClientSession, ids: Sequence[Any]) -> list[RawBSONDocument]:
        """Raises ``untracked`` unless each of the documents is found: an event would be missing."""
        found = self._read(own, with_ids(ids)) if ids else []
        if len(found) != len(ids):
            raise unreadable(self._aggregate.collection, len(ids), len(found))
        return found

    def _read_ids(self, own: ClientSession, filter: Filter, reading: Mapping[str, Any]) -> list[Any]:
        return ids_of(self._read(own, filter, projection=["_id"], **reading))
