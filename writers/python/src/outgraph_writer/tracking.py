"""The parts of a tracked collection that do not call the driver, shared by both clients."""

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

#: The number of documents that are read, written and read back at a time. It bounds the memory of ``update_many`` and
#: ``delete_many``.
CHUNK_DOCUMENTS: Final = 500

_Item = TypeVar("_Item")


def in_chunks(items: Sequence[_Item], size: int) -> Iterable[Sequence[_Item]]:
    """The items in chunks of this size. The last chunk may be smaller."""
    return (items[start : start + size] for start in range(0, len(items), size))


def without_none(**options: Any) -> dict[str, Any]:
    """The options that have a value. An older driver then never receives an option that the caller did not set."""
    return {name: value for name, value in options.items() if value is not None}


def ids_of(documents: Iterable[RawBSONDocument]) -> list[Any]:
    return [stored_id(document) for document in documents]


def with_ids(ids: Sequence[Any]) -> Filter:
    return {"_id": {"$in": list(ids)}}


@dataclass(frozen=True)
class Aim:
    """The target of an update, and the options to call it with."""

    target: Filter
    inserts: bool
    options: Mapping[str, Any]


def aim_at(before: Sequence[RawBSONDocument], filter: Filter, upsert: bool, options: Mapping[str, Any]) -> Aim:
    """The documents that were found, if they still match, or a new document if there are none and it is an upsert.

    The target includes the filter, because ``$`` in an update gets its position from it. It excludes documents that
    match only now: their state before the update was not read. The hint was used for the read.
    """
    if upsert and not before:
        return Aim(filter, True, options)
    others = {name: value for name, value in options.items() if name != "hint"}
    return Aim({"$and": [with_ids(ids_of(before)), filter]}, False, others)


def has_inserted(result: UpdateResult) -> bool:
    """Whether an upsert inserted a document. Its id may be null, and ``did_upsert`` fails in PyMongo 4.9."""
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
        f"{collection}: a write affected {written} documents, and {read} of them could be read back by their _id, "
        "so their events cannot be recorded. Nothing was committed. Filter by values that do not change meanwhile "
        "(no $$NOW), and use an _id that the driver returns as it is stored.",
    )
