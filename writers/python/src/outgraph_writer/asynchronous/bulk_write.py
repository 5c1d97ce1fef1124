"""Bulk writes.

Operations that name their document by ``_id`` are sent together. Any other is resolved to the documents that it matches
at its turn, after those before it. Each document is read once before the bulk write changes it and once at the end, and
has one event: its last state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError
from pymongo.results import BulkWriteResult

from outgraph_writer.asynchronous.tracked_documents import AsyncTrackedDocuments
from outgraph_writer.bulk import IDS_AT_ONCE, Operation, count_from, inserted_key, joined, without_replaced
from outgraph_writer.many import MAX_DOCUMENTS, too_many
from outgraph_writer.stored import id_key, stored_id, to_raw
from outgraph_writer.tracking import in_chunks, unreadable, with_ids, without_none


class AsyncBulkWrite:
    """One bulk write in its transaction."""

    def __init__(
        self,
        documents: AsyncTrackedDocuments,
        own: AsyncClientSession,
        options: Mapping[str, Any],
        record_unchanged: bool,
    ) -> None:
        self._documents = documents
        self._own = own
        self._options = options
        self._record_unchanged = record_unchanged
        self._codec = documents.collection.codec_options
        # The documents as they were before the bulk write changed them.
        self._before: dict[object, RawBSONDocument] = {}
        # Every id of a document that may have changed.
        self._ids: dict[object, Any] = {}
        self._pending: list[Any] = []
        self._result: dict[str, Any] | None = None
        self._sent = 0

    async def run(self, operations: Sequence[Operation], traceparent: str | None) -> BulkWriteResult:
        """Runs the operations and records the events."""
        await self._read_named(operations)
        for operation in operations:
            await self._add(operation)
        await self._send()
        result = BulkWriteResult(self._result or {}, True)
        await self._record(result, traceparent)
        return result

    async def _read_named(self, operations: Sequence[Operation]) -> None:
        """Reads the documents that operations name by ``_id``, before anything is written."""
        for operation in operations:
            if not operation.is_insert and not self._is_unread(operation):
                named = operation.named()
                if named is not None:
                    self._ids[id_key(named)] = stored_id(named)
        self._before = {id_key(document): document for document in await self._read_ids()}

    async def _read_ids(self) -> list[RawBSONDocument]:
        found: list[RawBSONDocument] = []
        for ids in in_chunks(list(self._ids.values()), IDS_AT_ONCE):
            found += await self._documents.read(self._own, with_ids(ids))
        return found

    async def _add(self, operation: Operation) -> None:
        if operation.is_insert:
            key, raw = inserted_key(operation, self._codec)
            self._ids[key] = stored_id(raw)
            self._pending.append(operation.request)
        elif self._is_unread(operation):
            self._pending.append(operation.request)
        elif operation.named() is not None:
            self._pending.append(operation.without_sort())
        else:
            await self._send()
            self._pending.append(operation.on(await self._resolve(operation)))
        if len(self._ids) > MAX_DOCUMENTS:
            name = self._documents.collection.name
            raise too_many(name, f"a bulk write changes more than {MAX_DOCUMENTS} documents")

    def _is_unread(self, operation: Operation) -> bool:
        """Whether the operation changes only fields that the aggregate does not declare."""
        return operation.sort is None and self._documents.is_unread(
            operation.update, operation.upsert, self._record_unchanged
        )

    async def _resolve(self, operation: Operation) -> list[RawBSONDocument]:
        """Reads what an operation matches now, and keeps each document that is not written yet."""
        limit = MAX_DOCUMENTS + 1 if operation.is_many else 1
        reading = without_none(hint=operation.hint, let=self._options.get("let"), sort=operation.sort)
        found = await self._documents.read(self._own, operation.filter, limit=limit, **reading)
        for document in found:
            key = id_key(document)
            if key not in self._ids:
                self._ids[key] = stored_id(document)
                self._before[key] = document
        return found

    async def _send(self) -> None:
        if not self._pending:
            return
        requests, self._pending = self._pending, []
        try:
            result = await self._documents.collection.bulk_write(requests, session=self._own, **self._options)
        except BulkWriteError as error:
            count_from(self._sent, error)
            raise
        for upserted in (result.upserted_ids or {}).values():
            raw = to_raw({"_id": upserted}, self._codec)
            self._ids[id_key(raw)] = stored_id(raw)
        self._result = joined(self._result, result.bulk_api_result, self._sent)
        self._sent += len(requests)

    async def _record(self, result: BulkWriteResult, traceparent: str | None) -> None:
        after = await self._read_ids()
        expected = len(self._before) + result.inserted_count + result.upserted_count - result.deleted_count
        if len(after) != expected:
            raise unreadable(self._documents.collection.name, expected, len(after))
        changes = self._documents.changes(list(self._before.values()), after, self._record_unchanged)
        await self._documents.record_changes(self._own, without_replaced(changes), traceparent)
