"""Recognises an update that changes only fields that the aggregate does not declare.

The graph cannot change then, so the documents need not be read before and after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from outgraph_writer.aggregate import Aggregate, document_id

#: Operators that change exactly the fields that they name.
_FIELD_OPERATORS: Final = frozenset(
    {
        "$set",
        "$unset",
        "$inc",
        "$mul",
        "$min",
        "$max",
        "$rename",
        "$setOnInsert",
        "$currentDate",
        "$push",
        "$addToSet",
        "$pop",
        "$pull",
        "$pullAll",
        "$bit",
    }
)


def is_unread(aggregate: Aggregate, update: Any, upsert: bool, record_unchanged: bool) -> bool:
    """Whether the update is certain to change no field that the projection, the check or the id is read from.

    An ``id`` function of the aggregate's own may read any field.
    """
    if aggregate.fields is None or aggregate.id is not document_id or upsert or record_unchanged:
        return False
    declared = {"_id", *aggregate.fields}
    return isinstance(update, Mapping) and all(
        operator in _FIELD_OPERATORS
        and isinstance(paths, Mapping)
        and all(
            isinstance(name, str) and name.split(".", 1)[0] not in declared
            for path, value in paths.items()
            for name in ((path, value) if operator == "$rename" else (path,))
        )
        for operator, paths in update.items()
    )
