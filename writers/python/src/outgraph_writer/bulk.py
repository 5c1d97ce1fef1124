"""The parts of a bulk write that do not call the driver, shared by both clients."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Final, TypeAlias, cast

from bson.binary import Binary
from bson.codec_options import CodecOptions
from bson.objectid import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne
from pymongo.errors import BulkWriteError

from outgraph_writer.event import Change
from outgraph_writer.stored import id_key, is_text, to_raw, with_own_id
from outgraph_writer.tracking import Filter, aim_at, untracked

Request: TypeAlias = (
    "InsertOne[Any] | UpdateOne | UpdateMany | ReplaceOne[Any] | DeleteOne | DeleteMany"  # PyMongo's operations.
)

_KINDS: Final = (InsertOne, UpdateOne, UpdateMany, ReplaceOne, DeleteOne, DeleteMany)
_COUNTS: Final = ("nInserted", "nMatched", "nModified", "nRemoved", "nUpserted")

#: The number of ids in one query.
IDS_AT_ONCE: Final = 5_000


class Operation:
    """One operation of a bulk write.

    PyMongo does not expose the arguments of its operations, so this class, and no other, reads private attributes.
    """

    def __init__(self, request: Any, index: int, options: CodecOptions[Any]) -> None:
        if not isinstance(request, _KINDS):
            kinds = ", ".join(kind.__name__ for kind in _KINDS)
            raise TypeError(f"bulk_write: operation {index} is a {type(request).__name__}, but must be one of {kinds}.")
        name = type(request).__name__
        if isinstance(request, InsertOne):
            request = copy.copy(request)
            if not isinstance(request._doc, MutableMapping) and not isinstance(request._doc, RawBSONDocument):
                raise TypeError(f"bulk_write: operation {index}, {name}, needs a mapping as its document.")
            document: Any = request._doc
            request._doc = with_own_id(document)
            self.inserts: Any = request._doc["_id"]
        elif not isinstance(request._filter, Mapping):
            raise TypeError(f"bulk_write: operation {index}, {name}, needs a mapping as its filter.")
        elif request._collation is not None:
            raise untracked("A write with a collation", "read with the collation and write by _id")
        self.request: Any = request
        self._options: Final = options

    @property
    def is_insert(self) -> bool:
        return isinstance(self.request, InsertOne)

    @property
    def is_many(self) -> bool:
        return isinstance(self.request, (UpdateMany, DeleteMany))

    @property
    def filter(self) -> Filter:
        return cast("Filter", self.request._filter)

    @property
    def update(self) -> Any:
        """The update, or None for an operation of another kind."""
        return self.request._doc if isinstance(self.request, (UpdateOne, UpdateMany)) else None

    @property
    def upsert(self) -> bool:
        return bool(getattr(self.request, "_upsert", False))

    @property
    def sort(self) -> Any:
        return getattr(self.request, "_sort", None)

    @property
    def hint(self) -> Any:
        return self.request._hint

    def named(self) -> RawBSONDocument | None:
        """The ``_id`` that the filter contains, in a document of its own.

        The filter then matches one document at most. None if it contains no ``_id`` that is compared for equality.
        """
        value = self.filter.get("_id")
        raw = None if value is None else to_raw({"_id": value}, self._options)
        return raw if raw is not None and _is_naming(raw["_id"]) else None

    def without_sort(self) -> Any:
        """The operation for a filter that names one document. A server before 8.0 refuses an order."""
        if self.sort is None:
            return self.request
        request = copy.copy(self.request)
        request._sort = None
        return request

    def on(self, before: Sequence[RawBSONDocument]) -> Any:
        """The operation on the documents that were just read."""
        aim = aim_at(before, self.filter, self.upsert, {})
        request = copy.copy(self.without_sort())
        request._filter = aim.target
        if not aim.inserts:
            request._hint = None
            if self.upsert:
                request._upsert = False
        return request


def _is_naming(value: Any) -> bool:
    """Whether a filter compares the value for equality, and nothing else."""
    if isinstance(value, bool):
        return False
    return is_text(value) or isinstance(value, (int, float, ObjectId, Binary, bytes))


def read_operations(requests: Any, ordered: bool, options: CodecOptions[Any]) -> list[Operation]:
    """The operations of a bulk write.

    Raises:
        Fault: ``untracked`` for ``ordered=False``, and for a collation.
        TypeError: for an operation that PyMongo does not know.
        ValueError: if there is none.
    """
    if not ordered:
        raise untracked(
            "bulk_write with ordered=False",
            "its operations and their events are one transaction, which the first error aborts, so none can go on "
            "after an error. Leave ordered out, or write what may fail on its own with calls of its own",
        )
    if isinstance(requests, (Mapping, str)) or not isinstance(requests, Iterable):
        raise TypeError("bulk_write needs a list of operations.")
    operations = [Operation(request, index, options) for index, request in enumerate(requests)]
    if not operations:
        raise ValueError("bulk_write needs at least one operation.")
    return operations


def inserted_key(operation: Operation, options: CodecOptions[Any]) -> tuple[Any, RawBSONDocument]:
    raw = to_raw({"_id": operation.inserts}, options)
    return id_key(raw), raw


def joined(previous: Mapping[str, Any] | None, following: Mapping[str, Any], start: int) -> dict[str, Any]:
    """The driver's results as one. The operations of the second begin at ``start``."""
    before = previous or {}
    upserted = [{**found, "index": found["index"] + start} for found in following["upserted"]]
    return {
        **following,
        **{name: before.get(name, 0) + following[name] for name in _COUNTS},
        "upserted": [*before.get("upserted", []), *upserted],
    }


def count_from(start: int, error: BulkWriteError) -> None:
    """Counts the operations of an error from the start of the whole bulk write."""
    for failed in (error.details or {}).get("writeErrors", []):
        failed["index"] += start


def without_replaced(changes: Sequence[Change]) -> list[Change]:
    """The changes without the deletion of an aggregate whose id another document took.

    The events of one aggregate must end with its last state.
    """
    live = {change.aggregate_id for change in changes if change.operation == "upsert"}
    return [change for change in changes if change.operation == "upsert" or change.aggregate_id not in live]
