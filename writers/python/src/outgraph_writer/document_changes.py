"""Compares documents before and after a write, and returns the changes to record.

It compares the stored bytes, so that a write that changed nothing, or nothing that the projection reads, makes no
event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bson.raw_bson import RawBSONDocument

from outgraph_writer.aggregate import Aggregate, id_before, id_of
from outgraph_writer.event import Change
from outgraph_writer.fault import Fault
from outgraph_writer.stored import field_bytes, id_key


def document_changes(
    aggregate: Aggregate,
    before: Iterable[RawBSONDocument],
    after: Iterable[RawBSONDocument],
    record_unchanged: bool = False,
) -> list[Change]:
    """The changes between two images of the same documents, matched by ``_id``.

    A document that is only in ``after`` was inserted; one that is only in ``before`` was deleted.

    Raises:
        Fault: ``event-invalid`` if the aggregate id of a document changed. Another document may have had that id a
            moment before, or may get it in a later chunk of the same write: the events of one id would be in the wrong
            order.
    """
    old = {id_key(document): document for document in before}
    changes: list[Change] = []
    for document in after:
        known = old.pop(id_key(document), None)
        if known is not None and known.raw == document.raw:
            continue
        aggregate_id = id_of(aggregate, document)
        if known is not None and id_before(aggregate, known) != aggregate_id:
            raise Fault(
                "event-invalid",
                f'aggregateId: the write changes the aggregate id of a "{aggregate.type}", which must stay the same '
                "while the document exists. Delete the document and insert it with the new id.",
            )
        if known is not None and not record_unchanged and _is_same(aggregate.fields, known, document):
            continue
        changes.append(Change.upsert(aggregate_id, document))
    return changes + [Change.delete(id_before(aggregate, document)) for document in old.values()]


def _is_same(fields: Collection[str] | None, known: RawBSONDocument, document: RawBSONDocument) -> bool:
    if fields is None:
        return False
    names = {name.encode() for name in fields}
    return field_bytes(known, names) == field_bytes(document, names)
