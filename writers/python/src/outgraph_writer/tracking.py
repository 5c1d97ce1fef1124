"""What the tracked collections of both clients are made of, apart from their calls of the driver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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


def ids_of(documents: Iterable[RawBSONDocument]) -> list[Any]:
    return [stored_id(document) for document in documents]


def with_ids(ids: Sequence[Any]) -> Filter:
    return {"_id": {"$in": list(ids)}}


@dataclass(frozen=True)
class Aim:
    """What an update writes to, and with which of its options."""

    target: Filter
    inserts: bool
    options: Mapping[str, Any]


def aim_at(before: Sequence[RawBSONDocument], filter: Filter, upsert: bool, options: Mapping[str, Any]) -> Aim:
    """The documents that were found, if they still match, or, where there are none and an upsert is wanted, a new one.

    The filter stays, because `$` in an update takes its place from it; the hint has done its work. What else the filter would match by now was not read before.
    """
    if upsert and not before:
        return Aim(filter, True, options)
    others = {name: value for name, value in options.items() if name != "hint"}
    return Aim({"$and": [with_ids(ids_of(before)), filter]}, False, others)


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


def unreadable(collection: str, written: int, read: int) -> Fault:
    return Fault(
        "untracked",
        f"{collection}: a write concerned {written} documents, and {read} of them could be read by their _id, so that their events cannot be recorded. Nothing was committed. "
        "Filter by what does not change meanwhile (no $$NOW), and use an _id that the driver returns as it is stored.",
    )
