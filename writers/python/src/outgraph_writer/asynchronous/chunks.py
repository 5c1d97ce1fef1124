"""Writes many documents, in one transaction or in chunks that are committed one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from outgraph_writer.asynchronous.tracked_documents import AsyncTrackedDocuments
from outgraph_writer.many import MAX_DOCUMENTS, Committed, Limit, UnfinishedWrite, after, require_chunk_size
from outgraph_writer.stored import stored_id
from outgraph_writer.tracking import CHUNK_DOCUMENTS, Filter, in_chunks

_BY_ID: Final = [("_id", 1)]


async def each_chunk(
    documents: AsyncTrackedDocuments, own: AsyncClientSession, filter: Filter, reading: Mapping[str, Any]
) -> AsyncIterator[list[RawBSONDocument]]:
    """Reads the documents that match in chunks, for one transaction that writes each.

    Raises:
        Fault: ``too-many-documents``.
    """
    limit = Limit(documents.collection.name)
    ids = await documents.read_ids(own, filter, reading, MAX_DOCUMENTS + 1)
    limit.found(len(ids))
    for chunk in in_chunks(ids, CHUNK_DOCUMENTS):
        limit.before(len(chunk), len(ids))
        yield await documents.read_all(own, chunk)


async def commit_chunks(
    documents: AsyncTrackedDocuments,
    filter: Filter,
    reading: Mapping[str, Any],
    chunk_size: int,
    session: AsyncClientSession | None,
    write: Callable[[AsyncClientSession, Sequence[RawBSONDocument]], Awaitable[tuple[int, int]]],
) -> Committed:
    """Writes the documents that match in chunks, each in a transaction of its own.

    Chunks follow each other in the order of ``_id``, so that each document is written at most once, whatever the write
    and others change meanwhile. ``write`` returns the numbers of documents that it modified and deleted.

    Raises:
        UnfinishedWrite: if a chunk fails after others were committed.
    """
    require_chunk_size(chunk_size, session)
    done = Committed()
    last: RawBSONDocument | None = None

    async def write_next(own: AsyncClientSession) -> tuple[list[RawBSONDocument], tuple[int, int]]:
        before = await documents.read(own, after(filter, last), sort=_BY_ID, limit=chunk_size, **reading)
        return before, await write(own, before) if before else (0, 0)

    while True:
        try:
            before, counts = await documents.track(session, write_next)
        except Exception as error:
            if last is None:
                raise
            raise UnfinishedWrite(documents.collection.name, done, stored_id(last)) from error
        if before:
            done = done.plus(len(before), *counts)
            last = before[-1]
        if len(before) < chunk_size:
            return done
