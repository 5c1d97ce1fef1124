"""Updates or replaces a document and returns it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from outgraph_writer.asynchronous.tracked_documents import AsyncTrackedDocuments
from outgraph_writer.tracking import Filter, Sort, aim_at, ids_of, with_ids


@dataclass(frozen=True)
class FindOneAnd:
    """The arguments of the call."""

    filter: Filter
    projection: Any
    sort: Sort | None
    upsert: bool
    return_document: bool
    options: Mapping[str, Any]
    traceparent: str | None
    record_unchanged: bool


async def find_one_and_write(
    documents: AsyncTrackedDocuments,
    call: FindOneAnd,
    session: AsyncClientSession | None,
    write: Callable[..., Awaitable[Any]],
) -> Any:
    """Calls the driver's method on the document that was found, or on a new one.

    Args:
        documents: those of the tracked collection.
        call: its arguments.
        session: that of the caller.
        write: takes a collection, a filter and the driver's options.
    """
    reading = {name: call.options[name] for name in ("hint", "let") if name in call.options}

    async def find(own: AsyncClientSession) -> Any:
        before = await documents.read_one(own, call.filter, call.sort, reading)
        aim = aim_at(before, call.filter, call.upsert, call.options)
        if not aim.inserts:
            value = await write(
                documents.collection,
                aim.target,
                projection=call.projection,
                return_document=call.return_document,
                session=own,
                **aim.options,
            )
            await documents.record_from(own, before, ids_of(before), call.traceparent, call.record_unchanged)
            return value
        # The driver does not return the id of an inserted document, so request the document itself.
        inserted = await write(
            documents.raw,
            call.filter,
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=own,
            **aim.options,
        )
        await documents.record(own, [], [inserted], call.traceparent)
        if call.return_document == ReturnDocument.BEFORE:
            return None
        return await documents.collection.find_one(with_ids(ids_of([inserted])), call.projection, session=own)

    return await documents.track(session, find)
