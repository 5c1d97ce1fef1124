"""Writes of many documents: their limits, their results and their chunks, shared by both clients."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bson.raw_bson import RawBSONDocument
from pymongo.results import DeleteResult, UpdateResult

from outgraph_writer.fault import Fault
from outgraph_writer.stored import stored_id
from outgraph_writer.tracking import Filter

#: The number of documents that one transaction takes. MongoDB aborts a transaction after
#: ``transactionLifetimeLimitSeconds``, 60 by default, and earlier if it fills the server's cache.
#:
#: https://www.mongodb.com/docs/manual/reference/parameters/#mongodb-parameter-param.transactionLifetimeLimitSeconds
MAX_DOCUMENTS: Final = 20_000

#: Time limit of a transaction of many documents, which may be large, or the server slow.
MAX_SECONDS: Final = 45

#: Bounds the memory: both states of a chunk's documents are kept until its commit.
MAX_CHUNK_SIZE: Final = 10_000


def too_many(collection: str, what: str) -> Fault:
    return Fault(
        "too-many-documents",
        f"{collection}: {what}. Nothing was committed. Set chunk_size (for example 1000) to commit in chunks, each "
        "with its own transaction, or write fewer documents at a time.",
    )


class Limit:
    """Ends a transaction of many documents before the server does."""

    def __init__(self, collection: str) -> None:
        self._collection: Final = collection
        self._end: Final = time.monotonic() + MAX_SECONDS
        self._written = 0

    def found(self, documents: int) -> None:
        """Raises ``too-many-documents``."""
        if documents > MAX_DOCUMENTS:
            raise too_many(
                self._collection,
                f"more than {MAX_DOCUMENTS} documents match, and one transaction takes no more",
            )

    def before(self, chunk: int, documents: int) -> None:
        """Raises ``too-many-documents`` if there is no time for the next chunk."""
        if time.monotonic() > self._end:
            raise too_many(
                self._collection,
                f"{documents} documents match, and {self._written} of them took {MAX_SECONDS} seconds: MongoDB aborts "
                "a transaction after 60 (transactionLifetimeLimitSeconds)",
            )
        self._written += chunk


@dataclass(frozen=True)
class Committed:
    """The chunks of a write that were committed, and their documents."""

    chunks: int = 0
    matched_count: int = 0
    modified_count: int = 0
    deleted_count: int = 0

    def plus(self, matched: int, modified: int, deleted: int) -> Committed:
        """These and one more chunk."""
        return Committed(
            self.chunks + 1,
            self.matched_count + matched,
            self.modified_count + modified,
            self.deleted_count + deleted,
        )


class UnfinishedWrite(Fault):
    """Raised if a chunk fails after others were committed. Its ``__cause__`` is the error.

    Documents up to ``last_id``, in the order of ``_id``, are written; the others are not. If the update can be repeated
    on a document that still matches, repeat the call. Otherwise add ``{"_id": {"$gt": last_id}}`` to its filter.

    Example:
        >>> try:
        ...     people.update_many({}, {"$inc": {"visits": 1}}, chunk_size=1000)
        ... except UnfinishedWrite as unfinished:
        ...     rest = {"_id": {"$gt": unfinished.last_id}}
        ...     people.update_many(rest, {"$inc": {"visits": 1}}, chunk_size=1000)
    """

    def __init__(self, collection: str, committed: Committed, last_id: Any) -> None:
        super().__init__(
            "unfinished",
            f"{collection}: chunk {committed.chunks + 1} failed, after {committed.chunks} chunks with "
            f"{committed.matched_count} documents were committed. See the cause, and continue after last_id.",
        )
        self.collection: Final = collection
        self.committed: Final = committed
        self.last_id: Final = last_id

    def __reduce__(self) -> tuple[Any, ...]:
        return UnfinishedWrite, (self.collection, self.committed, self.last_id)


class ManyUpdated(UpdateResult):
    """The driver's result of ``update_many``, and the number of chunks in which it was committed."""

    def __init__(self, raw_result: Mapping[str, Any] | None, chunks: int) -> None:
        super().__init__(raw_result, True)
        self.chunks: Final = chunks


class ManyDeleted(DeleteResult):
    """The driver's result of ``delete_many``, and the number of chunks in which it was committed."""

    def __init__(self, deleted: int, chunks: int) -> None:
        super().__init__({"n": deleted, "ok": 1.0}, True)
        self.chunks: Final = chunks


def updated(matched: int, modified: int, chunks: int) -> ManyUpdated:
    raw = {"n": matched, "nModified": modified, "ok": 1.0, "updatedExisting": matched > 0}
    return ManyUpdated(raw, chunks)


def require_chunk_size(chunk_size: Any, session: Any) -> None:
    """Raises ``ValueError`` if the call cannot be in chunks."""
    if not isinstance(chunk_size, int) or isinstance(chunk_size, bool) or not 1 <= chunk_size <= MAX_CHUNK_SIZE:
        raise ValueError(f"chunk_size is {chunk_size!r}: it must be a whole number from 1 to {MAX_CHUNK_SIZE}.")
    if session is not None and session.in_transaction:
        raise ValueError(
            "chunk_size commits transactions of its own, so it cannot be used in a transaction of yours: call it "
            "without the session, or leave chunk_size out."
        )


def after(filter: Filter, last: RawBSONDocument | None) -> Filter:
    """The filter, for documents that follow in the order of ``_id``.

    Unlike ``{"_id": {"$gt": ...}}``, the expression also matches ids of the types that follow.
    """
    if last is None:
        return filter
    return {"$and": [filter, {"$expr": {"$gt": ["$_id", {"$literal": stored_id(last)}]}}]}
