"""What the tracked collections of both clients are made of, apart from their calls of the driver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from bson.raw_bson import RawBSONDocument
from pymongo.results import UpdateResult

from outgraph_writer.fault import Fault
from outgraph_writer.stored import stored_id

Filter: TypeAlias = Mapping[str, Any]
Update: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]
Sort: TypeAlias = Sequence[tuple[str, int]] | Mapping[str, int]
Hint: TypeAlias = str | Sequence[tuple[str, int]] | Mapping[str, Any]

#: Documents that are read, written and read again at a time: bounds the memory of `update_many` and `delete_many`.
CHUNK_DOCUMENTS: Final = 500

_Item = TypeVar("_Item")


def in_chunks(items: Sequence[_Item], size: int) -> Iterable[Sequence[_Item]]:
    """The items, so many at a time, the last time fewer."""
    return (items[start : start + size] for start in range(0, len(items), size))


def without_none(**options: Any) -> dict[str, Any]:
    """The options that are given: each version of the driver is asked only for what the caller wants of it."""
    return {name: value for name, value in options.items() if value is not None}


def with_id(document: RawBSONDocument) -> Filter:
    return {"_id": {"$eq": stored_id(document)}}


def with_ids(ids: Sequence[Any]) -> Filter:
    return {"_id": {"$in": list(ids)}}


def target_of(document: RawBSONDocument | None, filter: Filter) -> Filter:
    """The one document, if it still matches; the filter stays, because `$` in an update takes its place from it."""
    return filter if document is None else {"$and": [with_id(document), filter]}


def has_inserted(result: UpdateResult) -> bool:
    """Whether an upsert has inserted a document. Its id may be null; ``did_upsert`` fails in PyMongo 4.9."""
    return "upserted" in (result.raw_result or {})


def refuse_writing_stages(pipeline: Sequence[Mapping[str, Any]]) -> None:
    """Raises ``untracked`` for a pipeline that writes."""
    for name in (name for stage in pipeline for name in stage):
        if name in ("$merge", "$out"):
            raise untracked(
                f"A pipeline with {name}", "read with the pipeline, and write with update_one or insert_many"
            )


def untracked(what: str, instead: str) -> Fault:
    return Fault(
        "untracked",
        f"{what} is not possible on a tracked collection, because it would write without recording events: {instead}.",
    )
